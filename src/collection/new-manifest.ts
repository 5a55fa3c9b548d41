import type { Encoder } from '../encoder/encoder.js';
import { invalidArgument, LemurError } from '../errors.js';
import { passageRules } from '../passages/passage-rules.js';
import { checkPrecision } from '../tokens/encodings.js';
import { showValue } from '../value-kind.js';
import type { EncoderEntry, FileEntry, IndexManifest } from './files/manifest.js';
import { checkEncoderKind, checkFlag } from './options/check-options.js';
import type { CreateOptions } from './options/options.js';

/** Dimensions of a collection's token vectors at most. */
const MOST_DIM = 65_536;

/** What a collection is made with, its encoder at hand. */
export interface MadeOptions extends Omit<CreateOptions, 'encoder'> {
  encoder?: Encoder | undefined;
}

/** What a collection keeps of its encoder, whose projection is in that file. */
export function encoderEntry(
  { id, dim, origin }: Encoder,
  projection?: FileEntry | undefined,
): EncoderEntry {
  return { id, dim, ...(origin && { origin }), ...(projection && { projection }) };
}

/** The manifest of an empty collection. Raises 'invalid-argument' and 'dimension-mismatch'. */
export function newManifest({
  encoder,
  dim = encoder?.dim ?? undefined,
  precision = 'int8',
  pooling = 1,
  features = 'auto',
  passages,
  keywords = true,
}: MadeOptions): IndexManifest {
  if (encoder) checkEncoderKind(encoder);
  if (dim === undefined)
    throw invalidArgument('dim', 'expected a dimension, or an encoder that has one, got neither');
  if (!Number.isInteger(dim) || dim < 1 || dim > MOST_DIM)
    throw invalidArgument(
      'dim',
      `expected an integer from 1 to ${MOST_DIM}, got ${showValue(dim)}`,
    );
  if (encoder && encoder.dim !== dim)
    throw new LemurError(
      'dimension-mismatch',
      `dim: expected ${encoder.dim}, the encoder's, got ${showValue(dim)}`,
      {
        where: 'dim',
        expected: encoder.dim,
        got: dim,
      },
    );
  checkPrecision(precision);
  if (!Number.isSafeInteger(pooling) || pooling < 1)
    throw invalidArgument(
      'pooling',
      `expected an integer of at least 1, got ${showValue(pooling)}`,
    );
  if (!['auto', 'exact', 'random', 'trained'].includes(features))
    throw invalidArgument(
      'features',
      `expected 'auto', 'exact', 'random' or 'trained', got ${showValue(features)}`,
    );
  checkFlag(keywords, 'keywords');
  return {
    generation: 0,
    next: 1,
    dim,
    precision,
    pooling,
    features,
    encoder: encoder ? encoderEntry(encoder) : null,
    tokenMean: null,
    model: null,
    segments: [],
    ...(passages !== undefined && { passages: passageRules(passages, encoder?.documentTokens) }),
    ...(!keywords && { keywords: false }),
  };
}
