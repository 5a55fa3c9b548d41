import { checkEncoderKind, checkInteger } from '../collection/options/check-options.js';
import { encodeTexts } from '../encoder/encode-texts.js';
import type { Encoder } from '../encoder/encoder.js';
import { invalidArgument } from '../errors.js';
import { MaxSim } from '../search/max-sim.js';
import { describeKind } from '../value-kind.js';

export interface RankTextsOptions {
  /** How many of the best; all by default. */
  readonly topN?: number | undefined;
  /** Tokens of each text that are read; by default as many as the encoder reads. */
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RankedText {
  /** Its number among the texts. */
  readonly index: number;
  /** MaxSim divided by the query's tokens, so that it compares across queries: 1 at most. */
  readonly score: number;
}

/**
 * Ranks texts that are in no collection by exact MaxSim, the best first; equal scores by number.
 * Rejects as `encodeTexts` does, with the signal's reason, and with 'invalid-argument'.
 */
export async function rankTexts(
  encoder: Encoder,
  query: string,
  texts: readonly string[],
  { topN, maxTokens, signal }: RankTextsOptions = {},
): Promise<RankedText[]> {
  checkEncoderKind(encoder);
  if (typeof query !== 'string' || query.trim() === '')
    throw invalidArgument('query', `expected a text, got ${describeKind(query)}`);
  if (topN !== undefined) checkInteger(topN, 'topN', 1);
  const other = texts.findIndex((text) => typeof text !== 'string');
  if (other >= 0)
    throw invalidArgument(
      `documents[${other}]`,
      `expected a text, got ${describeKind(texts[other])}`,
    );
  signal?.throwIfAborted();
  if (texts.length === 0) return [];
  const options = { dim: encoder.dim, signal };
  const asked = await encodeTexts(encoder, 'query', [query], options);
  // an option that is named and undefined would put aside the encoder's own number
  const read = maxTokens === undefined ? options : { ...options, maxTokens };
  const documents = await encodeTexts(encoder, 'document', texts, read);
  const exact = await MaxSim.create(documents, { signal });
  try {
    const k = Math.min(topN ?? texts.length, texts.length);
    const { indices, scores } = await exact.search(asked, k, { signal });
    const tokens = asked.counts[0];
    return Array.from(indices, (index, i) => ({ index, score: scores[i] / tokens }));
  } finally {
    exact.close();
  }
}
