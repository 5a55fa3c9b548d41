import { encodeTexts } from '../../encoder/encode-texts.js';
import type { Encoder } from '../../encoder/encoder.js';
import { joinTexts } from '../../tokens/join.js';
import { createRandom, type Random } from '../../tokens/random.js';
import { STREAM } from '../../tokens/random-streams.js';
import { sliceTexts } from '../../tokens/slice-texts.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import type { Snapshot } from '../files/snapshot.js';
import { sampleDocuments } from '../learn/sample.js';

/** Words, or tokens, of a query that is drawn from the collection. */
const QUERY_TOKENS = 6;

/**
 * Queries to measure with, and for each the document that it must not find, since it was drawn from
 * it; -1: none.
 */
export interface HeldOutQueries {
  queries: TokenSets;
  own: Int32Array;
}

/**
 * Queries drawn from documents chosen at random: with an encoder runs of words of their texts, read
 * as queries are, else runs of their consecutive token vectors.
 */
export async function drawQueries(
  snapshot: Snapshot,
  encoder: Encoder | undefined,
  count: number,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<HeldOutQueries> {
  const random = createRandom(seed, STREAM.heldOutQueries);
  const documents = sampleDocuments(snapshot, count, seed, STREAM.heldOutQueries);
  const texts = encoder && (await drawTexts(snapshot, documents, random));
  const { dim } = snapshot.manifest;
  if (texts)
    return { queries: await encodeTexts(encoder, 'query', texts, { dim, signal }), own: documents };
  const parts: Float32Array[] = [];
  for (const document of documents) {
    signal?.throwIfAborted();
    const vectors = await snapshot.vectors(document);
    const rows = vectors.length / dim;
    const some = Math.min(rows, QUERY_TOKENS);
    const first = random.integer(rows - some + 1);
    parts.push(vectors.slice(first * dim, (first + some) * dim));
  }
  return { queries: await joinTexts(parts, dim, signal), own: documents };
}

/** Words of each document; undefined where one has none. */
async function drawTexts(
  snapshot: Snapshot,
  documents: Int32Array,
  random: Random,
): Promise<string[] | undefined> {
  const texts: string[] = [];
  for (const document of documents) {
    const { text = '' } = await snapshot.record(document);
    const words = text.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) return undefined;
    const some = Math.min(words.length, QUERY_TOKENS);
    const first = random.integer(words.length - some + 1);
    texts.push(words.slice(first, first + some).join(' '));
  }
  return texts;
}

/** Queries of the caller's, `count` of them at most. */
export function givenQueries(queries: TokenSets, count: number): HeldOutQueries {
  const some = sliceTexts(queries, 0, Math.min(queries.counts.length, count));
  return { queries: some, own: new Int32Array(some.counts.length).fill(-1) };
}
