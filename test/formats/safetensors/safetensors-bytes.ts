import { isLemurError, type LemurError } from '../../../src/errors.js';

export async function failure(
  promise: Promise<unknown>,
  code: 'bad-file' | 'invalid-argument' | 'closed' = 'bad-file',
): Promise<LemurError> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (isLemurError(error, code)) return error;
  throw new Error(`expected ${code}, got ${String(error)}`);
}
