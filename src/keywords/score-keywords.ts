import { stepPacer } from '../pacer.js';
import { type TextStatistics, wordShare, wordWeight } from './bm25.js';
import { decodePostings, type TermPlace } from './find-term.js';
import { findTerms, type OpenPostings, readPostings } from './postings-reader.js';
import { type QueryWord, queryWords } from './query-words.js';

/** Segments that are looked at side by side. */
const LANES = 16;
/** Postings that count as a step between two turns of the event loop. */
const POSTINGS_A_STEP = 64;

/** A word of a query, and the most that it adds to a score. */
export interface WeightedWord extends QueryWord {
  readonly weight: number;
}

/** A query as keywords. */
export interface WeightedQuery {
  readonly words: readonly WeightedWord[];
  /** The sum of their weights, a score that no document reaches. */
  readonly most: number;
  readonly statistics: TextStatistics;
}

/** What the words of a query say of all documents. */
export interface KeywordScores extends WeightedQuery {
  /** BM25 of each document; 0 for those without a word of it, and those that are not allowed. */
  readonly scores: Float32Array;
}

/** A segment whose words are searched. */
export interface WordSegment {
  /** Number of its first document, and how many it has. */
  readonly first: number;
  readonly documents: number;
  /** A byte a document, 1 for deleted ones; null: none is. */
  readonly deleted: Uint8Array | null;
  /** Texts with words, and their words, of deleted documents too. */
  readonly all: TextStatistics;
  /** Opens them, or gives those that are open. */
  postings(): Promise<OpenPostings>;
}

/**
 * BM25 of so many documents for a query, 0 where no segment with words has them. What is counted is
 * counted over all documents that are not deleted, whatever a filter leaves of them. `mask`: a byte
 * a document, 0 for those left out. Memory: 4 bytes a document, and the postings of a few segments.
 * Rejects with 'bad-file', or the signal's reason.
 */
export async function scoreKeywords(
  segments: readonly WordSegment[],
  documents: number,
  text: string,
  mask: Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<KeywordScores> {
  const found = await queryWords(text, signal);

  const frequencies = new Float64Array(found.length);
  const statistics = { texts: 0, words: 0 };
  const places: (readonly (TermPlace | undefined)[])[] = [];
  await eachOf(segments, async (segment, i) => {
    const live = await liveStatistics(segment);
    statistics.texts += live.texts;
    statistics.words += live.words;
    const open = await segment.postings();
    const terms = found.map(({ term, earlier }) => (open.isFolded ? term : earlier));
    places[i] = await findTerms(open, terms, signal);
    const own = await liveTexts(segment, places[i], signal);
    for (const [word, texts] of own.entries()) frequencies[word] += texts;
  });
  const words = found.map((word, i) => ({
    ...word,
    weight: word.count * wordWeight(statistics, frequencies[i]),
  }));
  const scores = new Float32Array(documents);
  await eachOf(segments, async (segment, i) => {
    const { first } = segment;
    const own = scores.subarray(first, first + segment.documents);
    await addScores(own, segment, places[i], words, statistics, signal);
    if (mask) for (let row = 0; row < own.length; row++) if (!mask[first + row]) own[row] = 0;
  });
  const most = words.reduce((sum, { weight }) => sum + weight, 0);
  return { scores, words, most, statistics };
}

/** A few at a time; the first failure ends it. */
async function eachOf<T>(
  items: readonly T[],
  use: (item: T, i: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  const lane = async (): Promise<void> => {
    for (const [i, item] of entries) await use(item, i);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Of the documents that are not deleted. */
async function liveStatistics({ all, deleted, postings }: WordSegment): Promise<TextStatistics> {
  if (!deleted) return all;
  let { texts, words } = all;
  const { lengths } = await postings();
  for (let row = 0; row < lengths.length; row++) {
    if (!deleted[row]) continue;
    words -= lengths[row];
    if (lengths[row] > 0) texts--;
  }
  return { texts, words };
}

/** How many texts of a segment have each word, those of deleted documents left out. */
async function liveTexts(
  { deleted, postings }: WordSegment,
  places: readonly (TermPlace | undefined)[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  if (!deleted) return places.map((place) => place?.texts ?? 0);
  const counts = places.map(() => 0);
  await eachPosting(await postings(), places, signal, (word, row) => {
    if (!deleted[row]) counts[word]++;
  });
  return counts;
}

/** Adds what the words of a query say of the documents of a segment. */
async function addScores(
  scores: Float32Array,
  { postings }: WordSegment,
  places: readonly (TermPlace | undefined)[],
  words: readonly WeightedWord[],
  statistics: TextStatistics,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (places.every((place) => !place)) return;
  const open = await postings();
  const { lengths } = open;
  const sums = new Float64Array(scores.length);
  await eachPosting(open, places, signal, (word, row, count) => {
    sums[row] += words[word].weight * wordShare(count, lengths[row], statistics);
  });
  scores.set(sums);
}

/** Calls `use` for each word, row and count, word after word. */
async function eachPosting(
  postings: OpenPostings,
  places: readonly (TermPlace | undefined)[],
  signal: AbortSignal | undefined,
  use: (word: number, row: number, count: number) => void,
): Promise<void> {
  const step = stepPacer(signal);
  const present = places.flatMap((place, word) => (place ? [{ ...place, word }] : []));
  const lists = await readPostings(postings, present, signal);
  for (const [i, { texts, word }] of present.entries()) {
    const [rows, counts] = [new Int32Array(texts), new Int32Array(texts)];
    const length = decodePostings(lists[i], rows, counts);
    for (let at = 0; at < length; at++) use(word, rows[at], counts[at]);
    const wait = step(1 + texts / POSTINGS_A_STEP);
    if (wait) await wait;
  }
}
