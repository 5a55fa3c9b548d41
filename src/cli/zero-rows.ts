import { LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';
import type { Reporter } from './progress.js';
import { counted, grouped } from './text-layout.js';

/**
 * Whether to keep token vectors that are zero throughout: padding that was not cut off, most
 * likely, which would be scored as tokens.
 */
export interface ZeroOptions {
  keepZeros?: boolean | undefined;
  signal: AbortSignal;
  reporter: Reporter;
}

/**
 * The vectors without those that are zero throughout, which are said; rows move up within
 * `tokens.vectors`. Raises 'empty-document' for a text of nothing else. `label` names the file.
 */
export async function withoutZeroRows(
  tokens: TokenSets,
  label: string,
  { keepZeros, signal, reporter }: ZeroOptions,
): Promise<TokenSets> {
  if (keepZeros) return tokens;
  const { vectors, counts, dim } = tokens;
  const left = new Int32Array(counts.length);
  const pace = pacer(signal);
  let texts = 0;
  let to = 0;
  for (let text = 0, from = 0; text < counts.length; text++) {
    for (let row = 0; row < counts[text]; row++, from += dim) {
      if (row % 1024 === 0) await pace();
      if (isZero(vectors, from, dim)) continue;
      if (to < from) vectors.copyWithin(to, from, from + dim);
      to += dim;
      left[text]++;
    }
    if (left[text] === 0) {
      const problem =
        `${label}: text ${text} has ${counted(counts[text], 'token vector')}, all of ` +
        'them zero; --keep-zeros takes them as they are';
      throw new LemurError('empty-document', problem, { where: label, index: text });
    }
    if (left[text] < counts[text]) texts++;
  }
  const dropped = (vectors.length - to) / dim;
  if (dropped === 0) return tokens;
  const found =
    `${counted(dropped, 'token vector')} of ${grouped(vectors.length / dim)}, in ` +
    `${counted(texts, 'text')}`;
  reporter.note(
    `${label}: left out ${found}, zero throughout, as padding is (--keep-zeros takes ` +
      'them for tokens)',
  );
  return { vectors: vectors.subarray(0, to), counts: left, offsets: rowOffsets(left), dim };
}

function isZero(vectors: Float32Array, from: number, dim: number): boolean {
  for (let i = from; i < from + dim; i++) if (vectors[i] !== 0) return false;
  return true;
}
