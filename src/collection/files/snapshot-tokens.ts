import type { SearchDevice } from '../../device/device.js';
import { type DeviceTokens, deviceOffsets } from '../../device/device-tokens.js';
import type { Tensor } from '../../device/memory.js';
import type { FetchedTokens } from '../../search/fetched-tokens.js';
import { joinEncoded } from '../../tokens/encode-tokens.js';
import type { EncodedRows, TokenCodec } from '../../tokens/encoding.js';
import { firstNumbers, joinValues, splitBySegment } from './document-numbers.js';
import type { SegmentView } from './open-files.js';

/** Keeps a tensor until the state is given back. */
export type Keep = <T extends Tensor>(tensor: Promise<T>) => Promise<T>;

/**
 * Token vectors of all documents: on the device, which may read them from files; or, where a
 * segment leaves them in its storage, fetched when they are scored.
 */
export async function snapshotTokens(
  device: SearchDevice,
  segments: readonly SegmentView[],
  codec: TokenCodec,
  keep: Keep,
): Promise<DeviceTokens | FetchedTokens> {
  const parts = segments.map(({ segment }) => segment.tokens);
  if (!parts.every((part) => part !== null)) return fetchedTokens(segments, codec);
  const { encoding, parameters, dim } = codec;
  const documents = firstNumbers(segments)[segments.length];
  const counts = joinValues(new Int32Array(documents), segments, ({ segment }) => segment.counts);
  const joined = <A extends Int32Array | Float32Array>(
    out: A,
    valuesOf: (view: SegmentView) => ArrayLike<number> | null,
  ): A => joinValues(out, segments, valuesOf);
  const scales = (): Float32Array =>
    joined(new Float32Array(documents), ({ segment }) => segment.scales);
  return {
    encoding: encoding.name,
    vectors: (await keep(device.join(encoding.dtype, parts))) as DeviceTokens['vectors'],
    counts: await keep(device.upload('i32', counts)),
    offsets: await keep(device.upload('i32', deviceOffsets(counts))),
    scales: encoding.textScales ? await keep(device.upload('f32', scales())) : null,
    parameters: parameters.length > 0 ? await keep(device.upload('f32', parameters)) : null,
    checks: await keep(
      device.upload(
        'i32',
        joined(new Int32Array(documents), ({ segment }) => segment.tokenChecks),
      ),
    ),
    documentCount: documents,
    dim,
    longest: longestOf(counts),
  };
}

function fetchedTokens(segments: readonly SegmentView[], codec: TokenCodec): FetchedTokens {
  const firsts = firstNumbers(segments);
  const documents = firsts[segments.length];
  const counts = joinValues(new Int32Array(documents), segments, ({ segment }) => segment.counts);
  const width = codec.encoding.rowBytes(codec.dim);
  return {
    documents,
    bytesOf: (document) => counts[document] * width,
    async fetch(wanted, signal) {
      const found: EncodedRows[] = [];
      for (const share of splitBySegment(firsts, wanted)) {
        const { segment } = segments[share.segment];
        found.push(...(await segment.fetchTokens(share.documents, signal)));
      }
      return joinEncoded(found, codec);
    },
  };
}

function longestOf(counts: Int32Array): number {
  let longest = 0;
  for (const count of counts) longest = Math.max(longest, count);
  return longest;
}
