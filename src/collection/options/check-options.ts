import type { Encoder } from '../../encoder/encoder.js';
import { encoderMismatch } from '../../encoder/encoder-mismatch.js';
import { providedEncoders } from '../../encoder/provided-encoders.js';
import { invalidArgument, LemurError } from '../../errors.js';
import type { Storage } from '../../storage/storage.js';
import { describeKind, showValue } from '../../value-kind.js';
import type { EncoderEntry, IndexManifest } from '../files/manifest.js';
import { isModelName } from './model-name.js';
import type { Include } from './options.js';

const INCLUDES: readonly Include[] = ['text', 'metadata', 'evidence'];

/**
 * An encoder for a collection's texts. One that differs from the collection's in its precision
 * alone may read questions, and no documents. Raises 'encoder-mismatch' and 'dimension-mismatch'.
 */
export function checkEncoder(
  { name: where }: Storage,
  { encoder: made, dim }: IndexManifest,
  encoder: Encoder,
): Encoder {
  checkEncoderKind(encoder);
  const admitted = made ? admit(where, made, encoder) : encoder;
  if (encoder.dim !== dim) {
    throw new LemurError(
      'dimension-mismatch',
      `${where}: token vectors of ${dim} dimensions, the encoder ${encoder.id} gives ` +
        `${encoder.dim}`,
      {
        where,
        expected: dim,
        got: encoder.dim,
      },
    );
  }
  return admitted;
}

function admit(where: string, made: EncoderEntry, encoder: Encoder): Encoder {
  const encoders = providedEncoders();
  if (encoders) return encoders.admit(where, made, encoder);
  if (made.id !== encoder.id) throw encoderMismatch(where, made.id, encoder.id);
  return encoder;
}

/** Raises 'invalid-argument' for what is no encoder. */
export function checkEncoderKind(encoder: unknown): void {
  const { id, dim, encodeQuery, encodeDocument } = Object(encoder) as Partial<Encoder>;
  const methods = typeof encodeQuery === 'function' && typeof encodeDocument === 'function';
  if (!methods || typeof id !== 'string' || !Number.isInteger(dim) || (dim as number) < 1) {
    const expected =
      'expected an encoder, with an id, a dim and the methods encodeQuery and encodeDocument ' +
      '(lemur/encoder loads one)';
    throw invalidArgument('encoder', `${expected}, got ${describeKind(encoder)}`);
  }
  checkCounting(encoder as Encoder);
}

/** What an encoder may say of tokens, passages being cut by it. */
function checkCounting({ countTokens, documentTokens: most }: Encoder): void {
  if (countTokens !== undefined && typeof countTokens !== 'function')
    throw invalidArgument(
      'encoder.countTokens',
      `expected a method, got ${describeKind(countTokens)}`,
    );
  if (most !== undefined && most !== Infinity && !(Number.isInteger(most) && most > 0))
    throw invalidArgument(
      'encoder.documentTokens',
      `expected an integer of at least 1, got ${showValue(most)}`,
    );
}

/** Characters of a model's name. */
const MOST_NAME = 1024;

/** Raises 'invalid-argument' for what is neither an encoder nor the name of a model nor `false`. */
export function checkEncoderChoice(encoder: unknown): void {
  if (encoder === undefined || encoder === null || encoder === false) return;
  if (!isModelName(encoder)) {
    checkEncoderKind(encoder);
    return;
  }
  const { length } = String(encoder);
  if (length > 0 && length <= MOST_NAME) return;
  const got = length === 0 ? 'an empty string' : `${length} characters`;
  throw invalidArgument('encoder', `expected an encoder, a folder or an id, got ${got}`);
}

/** Raises 'invalid-argument' for a function that cuts texts where none does, and what is none. */
export function checkCut(cut: unknown, { passages }: IndexManifest): void {
  if (cut === undefined || (typeof cut === 'function' && passages?.by === 'function')) return;
  const expected =
    passages?.by === 'function'
      ? 'the function that cuts texts'
      : 'none: how texts are cut is said when the collection is made';
  throw invalidArgument('passages', `expected ${expected}, got ${describeKind(cut)}`);
}

/** Raises 'invalid-argument' for anything but true, false and undefined. */
export function checkFlag(value: unknown, where: string): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw invalidArgument(where, `expected true or false, got ${showValue(value)}`);
}

/** Raises 'invalid-argument'. */
export function checkGroupBy(value: unknown): void {
  if (value !== undefined && value !== 'source')
    throw invalidArgument('groupBy', `expected 'source', got ${showValue(value)}`);
}

/** Raises 'invalid-argument'. */
export function checkInteger(
  value: unknown,
  where: string,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  const range =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw invalidArgument(where, `expected an integer ${range}, got ${showValue(value)}`);
}

/** Raises 'invalid-argument'. */
export function checkCacheBytes(value: unknown): void {
  if (value !== undefined) checkInteger(value, 'cacheBytes', 0);
}

export function checkRecall(recall: number): void {
  if (typeof recall !== 'number' || !(recall > 0 && recall <= 1))
    throw invalidArgument(
      'recall',
      `expected a number above 0 and at most 1, got ${showValue(recall)}`,
    );
}

export function checkInclude(
  include: readonly Include[] = ['text', 'metadata'],
): readonly Include[] {
  const list: readonly unknown[] = Array.isArray(include) ? Array.from(include) : [include];
  const at = Array.isArray(include)
    ? list.findIndex((name) => !INCLUDES.includes(name as Include))
    : 0;
  if (at >= 0)
    throw invalidArgument(
      'include',
      `expected an array of ${INCLUDES.join(', ')}, got ${showValue(list[at])}`,
    );
  return include;
}
