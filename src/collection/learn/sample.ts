import { pacer } from '../../pacer.js';
import type { EncodedRows } from '../../tokens/encoding.js';
import { fairShares, rowOfShare } from '../../tokens/fair-shares.js';
import { createRandom, sampleWithoutReplacement } from '../../tokens/random.js';
import type { Snapshot } from '../files/snapshot.js';

/** Documents that are read at a time. */
const READS = 64;

/** Documents that are not deleted, ascending. */
export function liveDocuments({ documents, allowed }: Snapshot): Int32Array {
  const all = Int32Array.from({ length: documents }, (_, i) => i);
  return allowed ? all.filter((document) => allowed[document] === 1) : all;
}

/** `count` of them at random, ascending; all where there are no more. */
export function sampleDocuments(
  snapshot: Snapshot,
  count: number,
  seed: number,
  stream: number,
): Int32Array {
  const live = liveDocuments(snapshot);
  if (live.length <= count) return live;
  return sampleWithoutReplacement(createRandom(seed, stream), live.length, count)
    .map((i) => live[i])
    .sort();
}

/**
 * Token vectors of documents chosen at random as float32, count x dim (fewer where there are no
 * more), in the order of the documents; none gives most of them.
 */
export async function sampleTokenRows(
  snapshot: Snapshot,
  count: number,
  seed: number,
  stream: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { dim } = snapshot.manifest;
  const pace = pacer(signal);
  const live = liveDocuments(snapshot);
  const countOf = (document: number): number => {
    const { view, at } = snapshot.locate(document);
    return view.segment.counts[at];
  };
  const counts = Int32Array.from(live, countOf);
  const shares = fairShares(counts, count);
  let total = 0;
  for (const share of shares) total += share;
  const rows = sampleWithoutReplacement(createRandom(seed, stream), total, count).sort();
  // documents that have some of them: [place in `live`, number of its first row, first of its rows
  // here, behind the last]
  const wanted: [number, number, number, number][] = [];
  let next = 0;
  let first = 0;
  for (const [i, share] of shares.entries()) {
    const behind = first + share;
    const from = next;
    while (next < rows.length && rows[next] < behind) next++;
    if (next > from) wanted.push([i, first, from, next]);
    first = behind;
  }
  const out = new Float32Array(rows.length * dim);
  for (let at = 0; at < wanted.length; at += READS) {
    await pace();
    const some = wanted.slice(at, at + READS);
    const found = await Promise.all(some.map(([place]) => snapshot.vectors(live[place])));
    for (const [i, [document, start, from, to]] of some.entries()) {
      for (let row = from; row < to; row++) {
        const place = rowOfShare(rows[row] - start, shares[document], counts[document]) * dim;
        out.set(found[i].subarray(place, place + dim), row * dim);
      }
    }
  }
  return out;
}

/** Token vectors of documents as they are stored. */
export async function storedRows(
  snapshot: Snapshot,
  documents: Iterable<number>,
  signal: AbortSignal | undefined,
): Promise<EncodedRows[]> {
  const pace = pacer(signal);
  const out: EncodedRows[] = [];
  for (const document of documents) {
    await pace();
    const { view, at } = snapshot.locate(document);
    out.push(...(await view.segment.readTokens(at, at + 1)));
  }
  return out;
}
