import { invalidArgument } from '../errors.js';
import { showValue } from '../value-kind.js';

/** Results are arrays of queries x k. */
const MOST = 2 ** 24;

/** k must be a positive integer, at most 2^24. */
export function checkK(k: number, where = 'k'): void {
  if (Number.isInteger(k) && k >= 1 && k <= MOST) return;
  throw invalidArgument(where, `expected an integer from 1 to ${MOST}, got ${showValue(k)}`);
}
