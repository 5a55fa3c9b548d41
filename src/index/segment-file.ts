import { crc32 } from '../formats/crc32.js';
import type { SafetensorsArray } from '../formats/safetensors.js';
import { joinArrays } from '../tokens/join.js';
import { buildColumns } from './build-columns.js';
import { bytesOf, type EncodedFile, encodeCheckedFile, type Sections } from './checked-file.js';
import type { Metadata } from './metadata.js';
import { encodeRecord, endsOf, SEGMENT_LIMITS, type SegmentLimits } from './segment-limits.js';

export const SEGMENT = 'lemur-segment';

/** A document as a segment keeps it. */
export interface StoredDocument {
  id: string;
  text: string | undefined;
  metadata: Metadata | undefined;
  /** rows x dim, int8 or float32. */
  vectors: Int8Array | Float32Array;
  /** What a code is worth; 1 for float32. */
  factor: number;
  /** [start, end) in the text of each row; undefined where the encoder gave none. */
  spans: Int32Array | undefined;
}

/** The file of a batch of documents; the same documents give the same bytes. docs/format.md has it byte by byte. Rejects with 'invalid-argument' where offsets would wrap. */
export async function encodeSegment(
  name: string,
  documents: readonly StoredDocument[],
  dim: number,
  { section }: SegmentLimits = SEGMENT_LIMITS,
): Promise<EncodedFile> {
  const encoder = new TextEncoder();
  const counts = Int32Array.from(documents, ({ vectors }) => vectors.length / dim);
  const rows = counts.reduce((sum, n) => sum + n, 0);
  const int8 = documents[0].vectors instanceof Int8Array;
  const vectors = documents.map((document) => document.vectors);
  const tokens = int8
    ? joinArrays(vectors as Int8Array[], (length) => new Int8Array(length))
    : joinArrays(vectors as Float32Array[], (length) => new Float32Array(length));
  const ids = concatBytes(
    documents.map(({ id }) => encoder.encode(id)),
    section,
    'ids',
  );
  const records = concatBytes(documents.map(encodeRecord), section, 'texts and metadata');
  const tokenChecks = Int32Array.from(vectors, (values) => crc32(bytesOf(values)));
  const flat = (data: SafetensorsArray): Sections[string] => ({ shape: [data.length], data });
  const sections: Sections = {
    tokens: { shape: [rows, dim], data: tokens },
    counts: flat(counts),
    tokenChecks: flat(tokenChecks),
    ids: flat(ids.bytes),
    idEnds: flat(ids.ends),
    records: flat(records.bytes),
    recordEnds: flat(records.ends),
    recordChecks: flat(partChecks(records.bytes, records.ends)),
  };
  if (int8) sections.factors = flat(Float32Array.from(documents, ({ factor }) => factor));
  if (documents.some(({ spans }) => spans)) {
    const spans = new Int32Array(2 * rows).fill(-1);
    let row = 0;
    documents.forEach((document, i) => {
      if (document.spans) spans.set(document.spans, 2 * row);
      row += counts[i];
    });
    sections.spans = { shape: [rows, 2], data: spans };
    const sizes = Array.from(counts, (count) => 8 * count);
    sections.spanChecks = flat(partChecks(bytesOf(spans), endsOf(sizes, section, 'spans')));
  }
  for (const [column, data] of buildColumns(
    documents.map(({ metadata }) => metadata),
    section,
  ))
    sections[column] = flat(data);
  return encodeCheckedFile(name, SEGMENT, sections);
}

function concatBytes(parts: readonly Uint8Array[], most: number, what: string): { bytes: Uint8Array; ends: Int32Array } {
  const ends = endsOf(
    parts.map(({ length }) => length),
    most,
    what,
  );
  return { bytes: joinArrays(parts, (length) => new Uint8Array(length)), ends };
}

/** CRC-32 of each part, as signed numbers. */
function partChecks(bytes: Uint8Array, ends: Int32Array): Int32Array {
  return ends.map((end, i) => crc32(bytes.subarray(i === 0 ? 0 : ends[i - 1], end)));
}
