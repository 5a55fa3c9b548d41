import { LemurError } from '../errors.js';

/** Of a collection's encoder and the one that it is opened with; `what` is different, if known. */
export function encoderMismatch(
  where: string,
  expected: string,
  got: string,
  what: readonly string[] = [],
): LemurError {
  const differs = what.length > 0 ? `: ${what.join('; ')}` : '';
  const message = `${where}: made with the encoder ${expected}, opened with ${got}${differs}`;
  return new LemurError('encoder-mismatch', message, { where, expected, got });
}
