import { LemurError } from '../errors.js';
import type { Encoder } from './encoder.js';
import type { EncoderOrigin } from './origin.js';

/**
 * An encoder of another precision than a collection's: it reads questions, but no documents, whose
 * vectors would not be those that the collection's own encoder gives.
 */
export function askingEncoder(
  where: string,
  made: Pick<EncoderOrigin, 'precision'>,
  encoder: Encoder,
): Encoder {
  const { id, dim, origin } = encoder;
  const precision = origin?.precision;
  const message =
    `${where}: its texts were encoded in ${made.precision}, and this encoder computes in ` +
    `${precision}: it may ask questions (mean cosine of int8 vectors with those of float32: ` +
    '.989), and documents are added by an encoder as the first one';
  return {
    id,
    dim,
    origin,
    encodeQuery: (texts, options) => encoder.encodeQuery(texts, options),
    encodeDocument: async () => {
      const fields = { where, expected: made.precision, got: String(precision) };
      throw new LemurError('encoder-mismatch', message, fields);
    },
    close: () => encoder.close(),
  };
}
