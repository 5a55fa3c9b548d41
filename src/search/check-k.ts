import { LemurError } from '../errors.js';

/** k must be a positive integer. */
export function checkK(k: number, where = 'k'): void {
  if (!Number.isInteger(k) || k < 1) throw new LemurError('invalid-argument', `${where}: expected a positive integer, got ${k}`, { where });
}
