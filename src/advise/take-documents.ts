import type { Snapshot } from '../collection/files/snapshot.js';
import { liveDocuments } from '../collection/learn/sample.js';
import { pacer } from '../pacer.js';
import type { RunOptions } from '../run-options.js';
import { sharedFloats } from '../tokens/gather.js';
import { createRandom, permutation } from '../tokens/random.js';
import { STREAM } from '../tokens/random-streams.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';

/** Values of token vectors that are held at most: 1 GiB of float32. */
const MOST_VALUES = 2 ** 28;
/** Documents that are read at a time. */
const READS = 64;

/** Documents of a collection that are compared on. */
export interface TakenDocuments {
  /** Their numbers in the collection, ascending. */
  readonly numbers: Int32Array;
  /** Their token vectors as they are stored, decoded to float32. */
  readonly tokens: TokenSets;
  /** Whether they are all that the collection has, deleted ones included: numbers are 0, 1, .. */
  readonly isAll: boolean;
}

/**
 * All documents that are not deleted, or `most` of them chosen at random, those `wanted` among
 * them, and no more than 1 GiB of their vectors. Rejects with 'bad-file' and the signal's reason.
 */
export async function takeDocuments(
  snapshot: Snapshot,
  most: number,
  seed: number,
  wanted: readonly number[],
  { signal, onProgress }: RunOptions,
): Promise<TakenDocuments> {
  const { dim } = snapshot.manifest;
  const numbers = chooseDocuments(snapshot, most, seed, wanted);
  const counts = Int32Array.from(numbers, (number) => countOf(snapshot, number));
  const offsets = rowOffsets(counts);
  const vectors = sharedFloats(offsets[counts.length] * dim);
  const pace = pacer(signal);
  const total = numbers.length;
  for (let at = 0; at < total; at += READS) {
    onProgress?.({ stage: 'read', done: at, total });
    await pace();
    const some = numbers.subarray(at, at + READS);
    const read = await Promise.all(Array.from(some, (number) => snapshot.vectors(number)));
    for (const [i, values] of read.entries()) vectors.set(values, offsets[at + i] * dim);
  }
  onProgress?.({ stage: 'read', done: total, total });
  const isAll = numbers.length === snapshot.documents;
  return { numbers, tokens: { vectors, counts, offsets, dim }, isAll };
}

function chooseDocuments(
  snapshot: Snapshot,
  most: number,
  seed: number,
  wanted: readonly number[],
): Int32Array {
  const live = liveDocuments(snapshot);
  const drawn = permutation(createRandom(seed, STREAM.adviceDocuments), live.length);
  const chosen = new Set<number>();
  let values = 0;
  const take = (number: number): boolean => {
    if (chosen.has(number)) return true;
    values += countOf(snapshot, number) * snapshot.manifest.dim;
    if (chosen.size === most || (values > MOST_VALUES && chosen.size > 0)) return false;
    chosen.add(number);
    return true;
  };
  if (wanted.every(take)) for (const i of drawn) if (!take(live[i])) break;
  return Int32Array.from(chosen).sort();
}

function countOf(snapshot: Snapshot, number: number): number {
  const { view, at } = snapshot.locate(number);
  return view.segment.counts[at];
}
