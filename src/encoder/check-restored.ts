import { LemurError } from '../errors.js';
import { differences } from './compare-origins.js';
import { limitedId } from './limited-encoder.js';
import type { EncoderOrigin } from './origin.js';
import type { KnownEncoder } from './provided-encoders.js';

/**
 * Raises 'encoder-mismatch' for an encoder that is not the one a collection was made with, naming
 * what differs.
 */
export function checkRestored(
  { id: made, origin: of, folder }: Partial<KnownEncoder>,
  maxTokens: number | null,
  id: string,
  origin: EncoderOrigin | undefined,
): void {
  const got = limitedId(id, maxTokens);
  if (made === undefined || got === made) return;
  const given = { id: got, origin: origin && { ...origin, maxTokens } };
  throw encoderMismatch(folder ?? 'Index', { id: made, origin: of }, given);
}

/** An 'encoder-mismatch' that says in what two encoders differ, where that is known. */
export function encoderMismatch(
  where: string,
  made: { readonly id: string; readonly origin?: EncoderOrigin | undefined },
  given: { readonly id: string; readonly origin?: EncoderOrigin | undefined },
): LemurError {
  const what = made.origin && given.origin ? differences(made.origin, given.origin) : [];
  const message = `${where}: made with the encoder ${made.id}, opened with ${given.id}`;
  return new LemurError(
    'encoder-mismatch',
    what.length > 0 ? `${message}: ${what.join('; ')}` : message,
    { where, expected: made.id, got: given.id },
  );
}
