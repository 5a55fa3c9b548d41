import { crc32, crc32Paced } from '../../bytes/crc32.js';
import type { SafetensorsArray } from '../../formats/safetensors/safetensors.js';
import { stepPacer } from '../../pacer.js';
import { rowLength, type TokenLayout } from '../../tokens/encoding.js';
import { buildColumns } from '../metadata/build-columns.js';
import { encodeRecord } from '../metadata/document-record.js';
import { sourceIdOf } from '../metadata/passage-record.js';
import { endsOf, SEGMENT_LIMITS, type SegmentLimits } from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { bytesOf, type EncodedFile, encodeCheckedFile, type Sections } from './checked-file.js';
import { mirrorSections } from './mirror-sections.js';
import { SEGMENT } from './segment.js';

/** Steps that a document counts as, between two turns of the event loop. */
const STEPS_A_DOCUMENT = 8;
/** Longer parts are summed in slices. */
const CHECKED_AT_ONCE = 1 << 22;
/** Bytes of a checksum that count as a step. */
const STEP_BYTES = 1 << 12;
/** Bytes of a record, which is written as JSON. */
const STEP_RECORD = 1 << 10;

/**
 * The file of a batch of documents; the same documents give the same bytes. docs/formats.md has it
 * byte by byte. Gives way to other work every few hundred documents. Rejects with
 * 'invalid-argument' where offsets would wrap, or the signal's reason.
 */
export async function encodeSegment(
  name: string,
  documents: readonly StoredDocument[],
  layout: TokenLayout,
  { section }: SegmentLimits = SEGMENT_LIMITS,
  signal?: AbortSignal | undefined,
): Promise<EncodedFile> {
  const step = stepPacer(signal);
  const encoder = new TextEncoder();
  /** After what is done for all documents in one go. */
  const pass = async (): Promise<void> => step(documents.length / 4);
  const { dtype, textScales } = layout.encoding;
  const width = rowLength(layout);
  const counts = Int32Array.from(documents, ({ rows }) => rows.length / width);
  await pass();
  const rows = counts.reduce((sum, n) => sum + n, 0);
  const parts = documents.map((document) => bytesOf(document.rows));
  await pass();
  const { buffer } = (await concatBytes(parts, Infinity, 'tokens', step)).bytes;
  const tokens = dtype === 'f32' ? new Float32Array(buffer) : new Int8Array(buffer);
  const idBytes: Uint8Array[] = [];
  const recordBytes: Uint8Array[] = [];
  const tokenChecks = new Int32Array(documents.length);
  for (const [i, document] of documents.entries()) {
    idBytes.push(encoder.encode(document.id));
    const record = await encodeRecord(document);
    recordBytes.push(record);
    const bytes = parts[i];
    tokenChecks[i] = bytes.length > CHECKED_AT_ONCE ? await crc32Paced(bytes) : crc32(bytes);
    await step(STEPS_A_DOCUMENT + bytes.length / STEP_BYTES + record.length / STEP_RECORD);
  }
  const ids = await concatBytes(idBytes, section, 'ids', step);
  const records = await concatBytes(recordBytes, section, 'texts and metadata', step);
  const sections: Sections = {
    tokens: { shape: [rows, width], data: tokens },
    counts: flat(counts),
    tokenChecks: flat(tokenChecks),
    ids: flat(ids.bytes),
    idEnds: flat(ids.ends),
    records: flat(records.bytes),
    recordEnds: flat(records.ends),
    recordChecks: flat(await partChecks(records.bytes, records.ends, step)),
  };
  await pass();
  if (textScales) sections.factors = flat(Float32Array.from(documents, ({ scale }) => scale));
  if (documents.some(({ passage }) => passage))
    sections.sources = flat(await sourceLengths(documents, step));
  Object.assign(sections, mirrorSections(documents));
  await pass();
  if (documents.some(({ spans }) => spans))
    Object.assign(sections, await spanSections(documents, counts, section, step));
  await pass();
  const columns = await buildColumns(
    documents.map(({ metadata }) => metadata),
    section,
    signal,
  );
  for (const [column, data] of columns) sections[column] = flat(data);
  return encodeCheckedFile(name, SEGMENT, sections);
}

function flat(data: SafetensorsArray): Sections[string] {
  return { shape: [data.length], data };
}

/** Bytes of the source's id in each passage's, of all of the id in whole documents. */
async function sourceLengths(
  documents: readonly StoredDocument[],
  step: (steps?: number) => Promise<void> | undefined,
): Promise<Int32Array> {
  const encoder = new TextEncoder();
  const lengths = new Int32Array(documents.length);
  for (const [i, { id, passage }] of documents.entries()) {
    lengths[i] = encoder.encode(passage ? sourceIdOf(id) : id).length;
    const wait = step(2);
    if (wait) await wait;
  }
  return lengths;
}

/** Where tokens lie in their texts, two numbers a token: -1 in documents that do not say. */
async function spanSections(
  documents: readonly StoredDocument[],
  counts: Int32Array,
  most: number,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<Sections> {
  const ends = endsOf(
    Array.from(counts, (count) => 8 * count),
    most,
    'spans',
  );
  const rows = ends[ends.length - 1] / 8;
  const spans = new Int32Array(2 * rows).fill(-1);
  for (const [i, document] of documents.entries())
    if (document.spans) spans.set(document.spans, ends[i] / 4 - 2 * counts[i]);
  return {
    spans: { shape: [rows, 2], data: spans },
    spanChecks: flat(await partChecks(bytesOf(spans), ends, step)),
  };
}

async function concatBytes(
  parts: readonly Uint8Array[],
  most: number,
  what: string,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<{ bytes: Uint8Array; ends: Int32Array }> {
  const lengths = parts.map(({ length }) => length);
  const ends = endsOf(lengths, most, what);
  await step(parts.length / 4);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
    const wait = step(1 / 4 + part.length / STEP_BYTES);
    if (wait) await wait;
  }
  return { bytes, ends };
}

/** CRC-32 of each part, as signed numbers. */
async function partChecks(
  bytes: Uint8Array,
  ends: Int32Array,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<Int32Array> {
  const sums = new Int32Array(ends.length);
  for (let i = 0, from = 0; i < sums.length; from = ends[i++]) {
    const part = bytes.subarray(from, ends[i]);
    sums[i] = part.length > CHECKED_AT_ONCE ? await crc32Paced(part) : crc32(part);
    await step(1 + part.length / STEP_BYTES);
  }
  return sums;
}
