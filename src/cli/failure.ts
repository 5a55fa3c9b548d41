import { isLemurError } from '../errors.js';
import { CommanderError } from './vendor.js';

const USAGE = 2;

/** What a command that failed leaves with: its exit code, and the line for standard error where commander has not written one already. */
export function describeFailure(error: unknown): { exitCode: number; line: string } {
  // help and version end here as well
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : USAGE, line: '' };
  const message = error instanceof Error ? error.message : String(error);
  const hint = isLemurError(error) || isSystemError(error) || process.env.LEMUR_DEBUG === '1' ? '' : '(LEMUR_DEBUG=1 shows where)\n';
  return { exitCode: 1, line: `lemur: ${visible(message)}\n${hint}` };
}

/** No permission, a full disk and the like: the message says it all. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** Messages quote files and arguments: what would start a new line or steer the terminal is written as an escape. */
function visible(message: string): string {
  return message.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
