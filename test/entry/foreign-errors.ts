import { isLemurError } from '../../dist/entry/node.js';
import type { Any } from './hostile-values.js';

function shown(value: unknown): string {
  try {
    return typeof value === 'string'
      ? JSON.stringify(value.slice(0, 20))
      : (JSON.stringify(value) ?? String(value)).slice(0, 60);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/**
 * The call's error where it is none of ours; undefined: it succeeded or was refused in our words.
 */
async function foreign(call: () => unknown): Promise<unknown> {
  let guard: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    guard = setTimeout(() => reject(new Error('it neither succeeds nor fails')), 20_000);
  });
  try {
    await Promise.race([call(), late]);
  } catch (error) {
    if (!isLemurError(error)) return error;
    // one line, of a length that can be read
    if (
      error.message.length > 2000 ||
      error.message.includes('\n') ||
      error.message.includes('[object ')
    )
      return error;
  } finally {
    clearTimeout(guard);
  }
  return undefined;
}

/** What the call raises that is none of ours, by the value that it was given. */
export async function foreignErrors(
  values: readonly unknown[],
  call: (value: Any) => unknown,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const value of values) {
    const error = await foreign(() => call(value));
    if (error !== undefined)
      wrong.push(`${shown(value)}: ${String((error as Error)?.stack ?? error).slice(0, 400)}`);
  }
  return wrong;
}
