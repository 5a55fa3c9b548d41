import type { SearchDevice } from '../device/device.js';
import { type DeviceTokens, uploadTokens } from '../device/device-tokens.js';
import { withTensors } from '../device/with-tensors.js';
import type { EncodedTokens } from '../tokens/encode-tokens.js';
import { uniqueRows } from './unique-rows.js';

/** Documents whose token vectors lie in a storage and are fetched when they are scored. */
export interface FetchedTokens {
  readonly documents: number;
  /** Of one document's token vectors. */
  bytesOf(document: number): number;
  /** Those of ascending documents. Rejects with 'bad-file' where they are not what was stored. */
  fetch(documents: Int32Array, signal: AbortSignal | undefined): Promise<EncodedTokens>;
}

/** Bytes of token vectors that are fetched at a time, and more only of one document. */
const BYTES_AT_ONCE = 1 << 25;

/**
 * Exact MaxSim of each query q with the documents numbers[i], i from offsets[q] to offsets[q + 1]:
 * as `maxSimSubset`, of documents that are fetched part by part, each once.
 */
export async function scoreFetched(
  device: SearchDevice,
  queries: DeviceTokens,
  documents: FetchedTokens,
  numbers: Int32Array,
  offsets: Int32Array,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const scores = new Float32Array(numbers.length);
  /** Where a document of the part lies in it, + 1. */
  const places = new Int32Array(documents.documents);
  for (const part of partsOf(uniqueRows([numbers], documents.documents), documents)) {
    signal?.throwIfAborted();
    await withTensors(device, async (scope) => {
      const tokens = await uploadTokens(scope, await documents.fetch(part, signal));
      for (const [i, document] of part.entries()) places[document] = i + 1;
      const pairs = pairsAmong(places, numbers, offsets);
      const found = await scorePairs(device, queries, tokens, pairs, signal);
      for (const [i, pair] of pairs.of.entries()) scores[pair] = found[i];
      for (const document of part) places[document] = 0;
    });
  }
  return scores;
}

/** Ascending documents cut into parts that are not too large to be fetched. */
function* partsOf(rows: Int32Array, documents: FetchedTokens): Generator<Int32Array> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < rows.length; i++) {
    const more = documents.bytesOf(rows[i]);
    if (i > from && bytes + more > BYTES_AT_ONCE) {
      yield rows.subarray(from, i);
      from = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (from < rows.length) yield rows.subarray(from);
}

/** Pairs of a query and a document of one part. */
interface Pairs {
  /** Which of all pairs they are. */
  of: Int32Array;
  /** Where the document of each lies in the part. */
  numbers: Int32Array;
  /** Where those of each query begin, and where the last ones end. */
  offsets: Int32Array;
}

function pairsAmong(places: Int32Array, numbers: Int32Array, offsets: Int32Array): Pairs {
  let count = 0;
  for (const document of numbers) if (places[document] > 0) count++;
  const pairs: Pairs = {
    of: new Int32Array(count),
    numbers: new Int32Array(count),
    offsets: new Int32Array(offsets.length),
  };
  let at = 0;
  for (let q = 0; q + 1 < offsets.length; q++) {
    for (let i = offsets[q]; i < offsets[q + 1]; i++) {
      const place = places[numbers[i]];
      if (place === 0) continue;
      pairs.of[at] = i;
      pairs.numbers[at++] = place - 1;
    }
    pairs.offsets[q + 1] = at;
  }
  return pairs;
}

async function scorePairs(
  device: SearchDevice,
  queries: DeviceTokens,
  documents: DeviceTokens,
  { numbers, offsets }: Pairs,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  return withTensors(device, async (scope) => {
    const chosen = await scope.upload('i32', numbers);
    const out = await scope.allocate('f32', numbers.length);
    await device.maxSimSubset(queries, documents, chosen, offsets, out, { signal });
    return device.read(out);
  });
}
