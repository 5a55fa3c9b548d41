import { LemurError } from '../errors.js';
import type { mirror } from './mirror.js';

let current: (() => Promise<typeof mirror>) | undefined;

/** Entry points say how that code comes, which pages load when it is needed. */
export function provideMirror(load: () => Promise<typeof mirror>): void {
  current = load;
}

/** What brings a collection in step with a source. */
export async function providedMirror(): Promise<typeof mirror> {
  if (current) return current();
  throw new LemurError('unsupported', 'mirror: import lemur by its package name', {
    where: 'mirror',
  });
}
