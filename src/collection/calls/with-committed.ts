import { isLemurError, LemurError } from '../../errors.js';

/**
 * The error, with how many documents are safe. A caller's own error, or reason for the signal,
 * stays what it is.
 */
export function withCommitted(
  error: unknown,
  committed: number,
  signal: AbortSignal | undefined,
): unknown {
  if (!isLemurError(error) || (error === signal?.reason && error.code !== 'closed')) return error;
  const { code, message, fields, cause, stack } = error;
  const counted = new LemurError(
    code,
    message,
    fields,
    cause === undefined ? { committed } : { cause, committed },
  );
  if (stack !== undefined) counted.stack = stack;
  return counted;
}
