import { LemurError } from '../errors.js';
import { showValue } from '../value-kind.js';

/** More workers than any machine makes use of; each takes memory. */
export const MOST_THREADS = 256;

export function isThreads(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_THREADS;
}

export function wrongThreads(got: unknown): LemurError {
  const message = `threads: expected an integer from 1 to ${MOST_THREADS}, got ${showValue(got)}`;
  return new LemurError('invalid-argument', message, { where: 'threads' });
}
