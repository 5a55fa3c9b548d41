import { abortable } from '../abortable.js';
import { isNumberArray, typeName } from '../bytes/typed-array.js';
import { invalidArgument, LemurError } from '../errors.js';
import { checkValues } from '../tokens/check-values.js';
import { fromRagged } from '../tokens/token-sets.js';
import { describeKind, kindOf } from '../value-kind.js';
import type { EncodedTexts, EncodeOptions, Encoder } from './encoder.js';

export interface EncodeTextsOptions extends EncodeOptions {
  /** What the vectors must have. */
  dim: number;
  /** What to call a text in errors besides its number. */
  nameOf?: ((text: number) => string) | undefined;
}

/**
 * Texts through an encoder, and what it gives through the gate that a caller's own vectors pass:
 * encoders are the caller's too. Rejects with what the encoder rejects with, with the signal's
 * reason, and with 'invalid-argument', 'dimension-mismatch', 'empty-document' or 'not-finite',
 * which name the text.
 */
export async function encodeTexts(
  encoder: Encoder,
  kind: 'query' | 'document',
  texts: readonly string[],
  { dim, nameOf, ...options }: EncodeTextsOptions,
): Promise<EncodedTexts> {
  const name = (text: number): string =>
    `encoder: text ${text}${nameOf ? ` (${nameOf(text)})` : ''}`;
  const method = kind === 'query' ? 'encodeQuery' : 'encodeDocument';
  const { signal } = options;
  const given = await abortable(Promise.resolve(encoder[method](texts, options)), signal);
  checkShape(given, texts.length, dim, name);
  const sets = fromRagged(given, 'encoder');
  const { offsets, counts } = sets;
  checkOffsets(given.offsets, offsets);
  await checkValues(sets, 'encoder', signal, (row) => {
    const text = textOf(offsets, row);
    return { where: name(text), row: row - offsets[text] };
  });
  return {
    ...sets,
    spans: spansOf(given.spans, offsets[counts.length]),
    truncated: truncatedOf(given.truncated, texts.length),
  };
}

/** An object of vectors and counts, as many counts as texts, none of them 0, of that dimension. */
function checkShape(
  given: EncodedTexts,
  texts: number,
  dim: number,
  name: (text: number) => string,
): void {
  if (typeof given !== 'object' || given === null || !isNumberArray(given.counts)) {
    const got =
      typeof given === 'object' && given !== null
        ? `counts: ${describeKind(given.counts)}`
        : describeKind(given);
    throw invalidArgument('encoder', `expected { vectors, counts, offsets, dim }, got ${got}`);
  }
  const { counts } = given;
  if (given.dim !== dim || counts.length !== texts) {
    const message =
      `the encoder gave ${counts.length} texts of ${String(given.dim)} ` +
      `dimensions, expected ${texts} of ${dim}`;
    throw new LemurError('dimension-mismatch', message, {
      where: 'encoder',
      expected: dim,
      got: given.dim,
    });
  }
  for (let text = 0; text < texts; text++) {
    const count: unknown = counts[text];
    if (count === 0) {
      const message = `${name(text)} got no token vectors; every text needs at least one`;
      throw new LemurError('empty-document', message, { where: 'encoder', index: text });
    }
    if (!Number.isInteger(count) || (count as number) < 0)
      throw invalidArgument(
        name(text),
        `count of ${describeKind(count)}, expected a positive integer`,
      );
  }
}

/** Ours are computed from the counts; those that it gave must be the same. */
function checkOffsets(given: unknown, offsets: Float64Array): void {
  if (given === undefined) return;
  if (!isNumberArray(given) || given.length !== offsets.length)
    throw invalidArgument(
      'encoder',
      `offsets: expected ${offsets.length} numbers, ` +
        `got ${isNumberArray(given) ? given.length : describeKind(given)}`,
    );
  const wrong = offsets.findIndex((offset, i) => given[i] !== offset);
  if (wrong >= 0)
    throw invalidArgument(
      'encoder',
      `offsets[${wrong}]: expected ${offsets[wrong]} by the counts, ` +
        `got ${describeKind(given[wrong])}`,
    );
}

function spansOf(spans: unknown, rows: number): Int32Array | undefined {
  if (spans === undefined || spans === null) return undefined;
  if (kindOf(spans) !== 'Int32Array')
    throw invalidArgument('encoder', `spans: expected an Int32Array, got ${typeName(spans)}`);
  const { length } = spans as Int32Array;
  if (length !== 2 * rows)
    throw invalidArgument('encoder', `spans: expected ${rows} x 2 values, got ${length}`);
  return spans as Int32Array;
}

function truncatedOf(truncated: unknown, texts: number): number | undefined {
  if (truncated === undefined || truncated === null) return undefined;
  if (Number.isInteger(truncated) && (truncated as number) >= 0 && (truncated as number) <= texts)
    return truncated as number;
  throw invalidArgument(
    'encoder',
    `truncated: expected how many of the ${texts} texts were cut, got ${describeKind(truncated)}`,
  );
}

/** The text that a row belongs to. */
function textOf(offsets: Float64Array, row: number): number {
  let [low, high] = [0, offsets.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle] <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
