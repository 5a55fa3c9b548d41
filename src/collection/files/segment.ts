import { crc32, crc32Paced } from '../../bytes/crc32.js';
import { readRanges } from '../../bytes/read-ranges.js';
import type { SearchDevice } from '../../device/device.js';
import type { Tensor } from '../../device/memory.js';
import { TensorScope } from '../../device/with-tensors.js';
import { LemurError } from '../../errors.js';
import { nextMacrotask, stepPacer } from '../../pacer.js';
import type { Storage, StoredFile } from '../../storage/storage.js';
import { type EncodedRows, rowLength, type TokenLayout } from '../../tokens/encoding.js';
import { rowOffsets } from '../../tokens/token-sets.js';
import { type Columns, openColumns } from '../metadata/open-columns.js';
import { type DocumentRecord, decodeRecord } from '../metadata/record.js';
import { storedEnds } from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { openCheckedFile } from './checked-file.js';
import { createIdTable, type IdTable } from './id-table.js';
import type { SegmentEntry } from './manifest.js';
import { openRows } from './open-rows.js';
import { SEGMENT } from './segment-file.js';

/** Longer parts are summed in slices. */
const CHECKED_AT_ONCE = 1 << 22;
/**
 * What a document counts as among the steps between two turns of the event loop, and the bytes that
 * count as one.
 */
const STEPS_A_DOCUMENT = 8;
const STEP_BYTES = 1 << 12;
/** Sections of a file, most of them of columns, that are not looked through in no time. */
const MANY_SECTIONS = 1024;

/**
 * A batch of documents, open: what every search needs is in memory, vectors and records stay in the
 * file where the platform can read files.
 */
export interface Segment {
  readonly name: string;
  /** As it was opened. */
  readonly stored: StoredFile;
  readonly ids: IdTable;
  readonly documents: number;
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
  /** Of each document's rows; null where the encoding has none. */
  readonly scales: Float32Array | null;
  readonly tokenChecks: Int32Array;
  /** Encoded rows; null: they are fetched. */
  readonly tokens: Tensor<'i8'> | Tensor<'f32'> | null;
  readonly columns: Columns;
  record(document: number): Promise<DocumentRecord>;
  /** Token vectors of documents from .. to as they are stored, read at once. */
  readTokens(from: number, to: number): Promise<EncodedRows[]>;
  /** Those of ascending documents, in few reads. */
  fetchTokens(documents: Int32Array, signal: AbortSignal | undefined): Promise<EncodedRows[]>;
  /** undefined where none were given. */
  spans(document: number): Promise<Int32Array | undefined>;
  /** Documents from .. to with all that they have, in a few reads. */
  readDocuments(from: number, to: number): Promise<StoredDocument[]>;
  close(): Promise<void>;
}

/**
 * Reads, of each document, id, number of tokens, scale and checksums. Rejects with 'not-found' and
 * 'bad-file'.
 */
export async function openSegment(
  storage: Storage,
  device: SearchDevice,
  { file: entry, documents, tokens: rows }: SegmentEntry,
  layout: TokenLayout,
): Promise<Segment> {
  const { encoding, dim } = layout;
  const file = await openCheckedFile(storage, entry, SEGMENT);
  const scope = new TensorScope(device);
  try {
    const where = `${storage.name}/${entry.name}`;
    const bad = (problem: string): LemurError =>
      new LemurError('bad-file', `${where}: ${problem}: the file is damaged`, { where });
    const numbers = (section: string): Promise<Int32Array> =>
      file.array(section, 'I32', [documents]);
    const [counts, tokenChecks, idEnds, recordParts, recordChecks] = [
      await numbers('counts'),
      await numbers('tokenChecks'),
      await numbers('idEnds'),
      await numbers('recordEnds'),
      await numbers('recordChecks'),
    ];
    const offsets = rowOffsets(counts);
    if (offsets[documents] !== rows) throw bad(`${offsets[documents]} tokens, expected ${rows}`);
    const { bytes: ids } = await file.read('ids');
    const endsIn = <E extends Int32Array | Float64Array>(
      section: string,
      ends: E | undefined,
    ): E => {
      if (!ends) throw bad(`the ends of ${section} do not match it`);
      return ends;
    };
    const table = await createIdTable(
      ids,
      endsIn('ids', storedEnds(idEnds, ids.length) as Int32Array | undefined),
    );
    const records = file.sections.get('records')?.shape[0] ?? 0;
    const recordEnds = endsIn('records', storedEnds(recordParts, records));
    const scales = encoding.textScales
      ? await file.array<Float32Array>('factors', 'F32', [documents])
      : null;
    const length = rows * rowLength(layout);
    const tokens = await openRows(device, file, 'tokens', encoding.dtype, length);
    if (tokens) scope.own(tokens);
    if (file.sections.size > MANY_SECTIONS) await nextMacrotask();
    const columns = openColumns(file.sections.keys(), documents, (name) => file.read(name));

    const check = async (
      section: string,
      bytes: Uint8Array,
      expected: number,
      document: number,
    ): Promise<void> => {
      const actual = (bytes.length > CHECKED_AT_ONCE ? await crc32Paced(bytes) : crc32(bytes)) | 0;
      if (actual !== expected)
        throw bad(`${section} of document ${document}: checksum ${actual}, expected ${expected}`);
    };
    const spanChecks = file.sections.has('spans') ? await numbers('spanChecks') : null;
    const recordFrom = (document: number): number =>
      document === 0 ? 0 : recordEnds[document - 1];
    const width = encoding.rowBytes(dim);
    /** `bytes` begin at a multiple of 4 of their buffer. */
    const encodedRows = async (document: number, bytes: Uint8Array): Promise<EncodedRows> => {
      await check('tokens', bytes, tokenChecks[document], document);
      const { buffer, byteOffset, length } = bytes;
      const rows =
        encoding.dtype === 'f32'
          ? new Float32Array(buffer, byteOffset, length / 4)
          : new Int8Array(buffer, byteOffset, length);
      return { rows, scale: scales?.[document] ?? 1 };
    };
    const readTokens: Segment['readTokens'] = async (from, to) => {
      const bytes = await file.range('tokens', offsets[from] * width, offsets[to] * width);
      const { buffer } = new Uint8Array(bytes);
      const found: EncodedRows[] = [];
      const step = stepPacer();
      for (let document = from; document < to; document++) {
        const start = (offsets[document] - offsets[from]) * width;
        const length = counts[document] * width;
        found.push(await encodedRows(document, new Uint8Array(buffer, start, length)));
        await step(STEPS_A_DOCUMENT + length / STEP_BYTES);
      }
      return found;
    };
    return {
      name: entry.name,
      stored: file.stored,
      ids: table,
      documents,
      counts,
      offsets,
      scales,
      tokenChecks,
      tokens,
      columns,
      async record(document) {
        const bytes = await file.range('records', recordFrom(document), recordEnds[document]);
        await check('records', bytes, recordChecks[document], document);
        return decodeRecord(bytes);
      },
      readTokens,
      async fetchTokens(documents, signal) {
        const found = new Array<EncodedRows>(documents.length);
        const first = file.offset('tokens');
        const ranges = Array.from(documents, (document) => ({
          from: first + offsets[document] * width,
          to: first + offsets[document + 1] * width,
        }));
        await readRanges(file.stored, ranges, signal, async (bytes, i) => {
          found[i] = await encodedRows(documents[i], new Uint8Array(bytes));
        });
        return found;
      },
      async spans(document) {
        if (!spanChecks) return undefined;
        const bytes = await file.range('spans', offsets[document] * 8, offsets[document + 1] * 8);
        await check('spans', bytes, spanChecks[document], document);
        const spans = new Int32Array(new Uint8Array(bytes).buffer);
        return spans[0] < 0 ? undefined : spans;
      },
      async readDocuments(from, to) {
        const tokens = await readTokens(from, to);
        const records = await file.range('records', recordFrom(from), recordEnds[to - 1]);
        const spans = spanChecks && (await file.range('spans', offsets[from] * 8, offsets[to] * 8));
        const found: StoredDocument[] = [];
        const step = stepPacer();
        for (const [i, encoded] of tokens.entries()) {
          const document = from + i;
          const record = records.subarray(
            recordFrom(document) - recordFrom(from),
            recordEnds[document] - recordFrom(from),
          );
          await check('records', record, recordChecks[document], document);
          const { text, metadata } = await decodeRecord(record);
          const place =
            spans &&
            new Uint8Array(
              spans.subarray(
                (offsets[document] - offsets[from]) * 8,
                (offsets[document + 1] - offsets[from]) * 8,
              ),
            );
          if (place && spanChecks) await check('spans', place, spanChecks[document], document);
          const own = place && new Int32Array(place.buffer, 0, place.length / 4);
          found.push({
            id: table.id(document),
            text,
            metadata,
            ...encoded,
            spans: own && own[0] >= 0 ? own : undefined,
          });
          await step(STEPS_A_DOCUMENT + record.length / STEP_BYTES);
        }
        return found;
      },
      async close() {
        scope.free();
        await file.stored.close();
      },
    };
  } catch (error) {
    scope.free();
    await file.stored.close();
    throw error;
  }
}
