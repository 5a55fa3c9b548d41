import { LemurError } from '../errors.js';
import type * as writing from './writing.js';

/** The code of the calls that change a collection. */
export type Writing = typeof writing;

let current: (() => Promise<Writing>) | undefined;

/** Entry points say how that code comes, which pages load when it is needed. */
export function provideWriting(load: () => Promise<Writing>): void {
  current = load;
}

/** What changes a collection. */
export async function providedWriting(): Promise<Writing> {
  if (current) return current();
  throw new LemurError('unsupported', 'collection: import lemur by its package name', {
    where: 'collection',
  });
}
