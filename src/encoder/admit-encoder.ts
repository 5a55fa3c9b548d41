import { askingEncoder } from './asking-encoder.js';
import { differences, differInPrecision } from './compare-origins.js';
import type { Encoder } from './encoder.js';
import { encoderMismatch } from './encoder-mismatch.js';
import { limitedId } from './limited-encoder.js';
import type { EncoderOrigin } from './origin.js';
import type { KnownEncoder } from './provided-encoders.js';

type Named = Pick<Encoder, 'id' | 'origin'>;

/**
 * An encoder for the texts of a collection that was made with another one or the same: for
 * questions alone where the two differ in their precision. Raises 'encoder-mismatch', which says
 * what differs where that is known.
 */
export function admitEncoder(where: string, made: Named, encoder: Encoder): Encoder {
  const [of, given] = [made.origin, encoder.origin];
  if (of && given && differInPrecision(of, given)) return askingEncoder(where, of, encoder);
  checkSame(where, made, encoder);
  return encoder;
}

/** Raises 'encoder-mismatch' for an encoder that is not the one a collection was made with. */
export function checkRestored(
  { id: made, origin: of, folder }: Partial<KnownEncoder>,
  maxTokens: number | null,
  id: string,
  origin: EncoderOrigin | undefined,
): void {
  if (made === undefined) return;
  const given = { id: limitedId(id, maxTokens), origin: origin && { ...origin, maxTokens } };
  checkSame(folder ?? 'Index', { id: made, origin: of }, given);
}

function checkSame(where: string, made: Named, given: Named): void {
  if (made.id === given.id) return;
  const what = made.origin && given.origin ? differences(made.origin, given.origin) : [];
  throw encoderMismatch(where, made.id, given.id, what);
}
