import type { SearchDevice } from '../../device/device.js';
import type { Tensor } from '../../device/memory.js';
import { nextMacrotask, stepPacer } from '../../pacer.js';
import type { ReadableStorage, StoredFile } from '../../storage/storage.js';
import { type EncodedRows, rowLength, type TokenLayout } from '../../tokens/encoding.js';
import { rowOffsets } from '../../tokens/token-sets.js';
import { tensorName } from '../metadata/column.js';
import { type DocumentRecord, decodeRecord } from '../metadata/document-record.js';
import { type Columns, openColumns } from '../metadata/open-columns.js';
import { storedEnds } from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { type CheckedFile, damaged, openCheckedFile } from './checked-file.js';
import { CheckedParts } from './checked-parts.js';
import { createIdTable, type IdTable } from './id-table.js';
import type { SegmentEntry } from './manifest.js';
import { type MirrorTable, mirrorOf, readMirrors } from './mirror-sections.js';
import { openRows } from './open-rows.js';
import type { StoredRows } from './row-cache.js';
import { createSourceTable, type SourceTable } from './source-table.js';

export const SEGMENT = 'lemur-segment';

/** Steps that a document counts as, between two turns of the event loop. */
const STEPS_A_DOCUMENT = 8;
/** Sections of a file, most of them of columns, that are not looked through in no time. */
const MANY_SECTIONS = 1024;

/** The arrays of a segment that are in memory. */
interface SegmentArrays {
  readonly ids: IdTable;
  /** Sources of its passages; null: it has none. */
  readonly sources: SourceTable | null;
  /** Tokens of each document. */
  readonly counts: Int32Array;
  /** Row of the first token of each document, and behind the last. */
  readonly offsets: Float64Array;
  /** Of each document's rows; null where the encoding has none. */
  readonly scales: Float32Array | null;
  /** CRC-32 of each document's rows. */
  readonly tokenChecks: Int32Array;
  /** Encoded rows; null: they are fetched. */
  readonly tokens: Tensor<'i8'> | Tensor<'f32'> | null;
  readonly columns: Columns;
}

/** The sections that stay in the file, a part for each document. */
interface SegmentParts {
  readonly tokens: CheckedParts;
  readonly records: CheckedParts;
  /** null where no document has any. */
  readonly spans: CheckedParts | null;
  /** What they mirror, read whole; null where none does anything. */
  mirrors(): Promise<MirrorTable | null>;
}

/**
 * Reads, of each document, id, number of tokens, scale and checksums. Rejects with 'not-found' and
 * 'bad-file'.
 */
export async function openSegment(
  storage: ReadableStorage,
  device: SearchDevice,
  entry: SegmentEntry,
  layout: TokenLayout,
): Promise<Segment> {
  const file = await openCheckedFile(storage, entry.file, SEGMENT);
  try {
    const arrays = await readArrays(file, entry, layout);
    const parts = await partsOf(file, arrays, layout);
    // last: it is not freed when the others fail
    const { encoding } = layout;
    const length = entry.tokens * rowLength(layout);
    const tokens = await openRows(device, file, 'tokens', encoding.dtype, length);
    return new Segment(file, device, layout, { ...arrays, tokens }, parts);
  } catch (error) {
    await file.stored.close();
    throw error;
  }
}

async function readArrays(
  file: CheckedFile,
  { documents, tokens: rows }: SegmentEntry,
  { encoding }: TokenLayout,
): Promise<Omit<SegmentArrays, 'tokens'>> {
  const counts = await file.array<Int32Array>('counts', 'I32', [documents]);
  const offsets = rowOffsets(counts);
  if (offsets[documents] !== rows)
    throw damaged(file.stored, `${offsets[documents]} tokens, expected ${rows}`);
  const { bytes: ids } = await file.read('ids');
  const idEnds = (await readEnds(file, 'ids', 'idEnds', documents)) as Int32Array;
  const arrays = {
    ids: await createIdTable(ids, idEnds),
    sources: await readSources(file, ids, idEnds),
    counts,
    offsets,
    scales: encoding.textScales
      ? await file.array<Float32Array>('factors', 'F32', [documents])
      : null,
    tokenChecks: await file.array<Int32Array>('tokenChecks', 'I32', [documents]),
  };
  if (file.sections.size > MANY_SECTIONS) await nextMacrotask();
  const columns = openColumns(file.sections.keys(), documents, (name) => file.read(name));
  return { ...arrays, columns };
}

async function readSources(
  file: CheckedFile,
  ids: Uint8Array,
  idEnds: Int32Array,
): Promise<SourceTable | null> {
  if (!file.sections.has('sources')) return null;
  const lengths = await file.array<Int32Array>('sources', 'I32', [idEnds.length]);
  const wrong = lengths.findIndex(
    (length, row) => length < 0 || length > idEnds[row] - (row === 0 ? 0 : idEnds[row - 1]),
  );
  if (wrong >= 0) throw damaged(file.stored, 'the sources do not match the ids');
  return createSourceTable(ids, idEnds, lengths);
}

async function partsOf(
  file: CheckedFile,
  { counts: { length: documents }, offsets, tokenChecks }: Omit<SegmentArrays, 'tokens'>,
  { encoding, dim }: TokenLayout,
): Promise<SegmentParts> {
  const recordEnds = await readEnds(file, 'records', 'recordEnds', documents);
  const recordChecks = await file.array<Int32Array>('recordChecks', 'I32', [documents]);
  const spanChecks = file.sections.has('spans')
    ? await file.array<Int32Array>('spanChecks', 'I32', [documents])
    : null;
  const width = encoding.rowBytes(dim);
  const record = (document: number): number => (document === 0 ? 0 : recordEnds[document - 1]);
  return {
    tokens: new CheckedParts(file, 'tokens', (i) => offsets[i] * width, tokenChecks),
    records: new CheckedParts(file, 'records', record, recordChecks),
    spans: spanChecks && new CheckedParts(file, 'spans', (i) => offsets[i] * 8, spanChecks),
    mirrors: () => readMirrors(file, documents),
  };
}

/** Where the documents' parts of a section end. Rejects with 'bad-file'. */
async function readEnds(
  file: CheckedFile,
  section: string,
  name: string,
  documents: number,
): Promise<Int32Array | Float64Array> {
  const stored = await file.array<Int32Array>(name, 'I32', [documents]);
  const ends = storedEnds(stored, file.sections.get(section)?.shape[0] ?? 0);
  if (!ends) throw damaged(file.stored, `the ends of ${section} do not match it`);
  return ends;
}

/**
 * A batch of documents, open: what every search needs is in memory, vectors and records stay in the
 * file where the platform can read files.
 */
export class Segment implements SegmentArrays {
  readonly documents: number;
  readonly ids: IdTable;
  readonly sources: SourceTable | null;
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
  readonly scales: Float32Array | null;
  readonly tokenChecks: Int32Array;
  readonly tokens: Tensor<'i8'> | Tensor<'f32'> | null;
  readonly columns: Columns;
  /** `tokens`, as a cache takes them. */
  readonly tokenRows: StoredRows;
  /** As it was opened. */
  readonly stored: StoredFile;
  readonly #sections: CheckedFile['sections'];
  readonly #device: SearchDevice;
  readonly #layout: TokenLayout;
  readonly #parts: SegmentParts;

  /** Use `openSegment`. */
  constructor(
    file: CheckedFile,
    device: SearchDevice,
    layout: TokenLayout,
    arrays: SegmentArrays,
    parts: SegmentParts,
  ) {
    this.documents = arrays.counts.length;
    this.ids = arrays.ids;
    this.sources = arrays.sources;
    this.counts = arrays.counts;
    this.offsets = arrays.offsets;
    this.scales = arrays.scales;
    this.tokenChecks = arrays.tokenChecks;
    this.tokens = arrays.tokens;
    const { encoding, dim } = layout;
    this.tokenRows = {
      tensor: arrays.tokens,
      rowLength: rowLength(layout),
      bytes: arrays.offsets[this.documents] * (encoding.rowBytes(dim) + 1),
    };
    this.columns = arrays.columns;
    this.stored = file.stored;
    this.#sections = file.sections;
    this.#device = device;
    this.#layout = layout;
    this.#parts = parts;
  }

  /** Bytes of the different strings that documents have at a path of their metadata. */
  stringBytes(path: string): number {
    return this.#sections.get(tensorName(path, 'dictionary'))?.shape[0] ?? 0;
  }

  async record(document: number): Promise<DocumentRecord> {
    return decodeRecord(await this.#parts.records.read(document));
  }

  /** What its documents mirror; null where none does anything. */
  mirrors(): Promise<MirrorTable | null> {
    return this.#parts.mirrors();
  }

  /** Records of documents from .. to, in one read. */
  async records(from: number, to: number): Promise<DocumentRecord[]> {
    const records: DocumentRecord[] = [];
    const step = stepPacer();
    for (const bytes of await this.#parts.records.readEach(from, to)) {
      records.push(await decodeRecord(bytes));
      await step(STEPS_A_DOCUMENT);
    }
    return records;
  }

  /** Where the tokens of a document lie in its text; undefined where none were given. */
  async spans(document: number): Promise<Int32Array | undefined> {
    return spansOf(await this.#parts.spans?.read(document));
  }

  /** Token vectors of documents from .. to as they are stored, read at once. */
  async readTokens(from: number, to: number): Promise<EncodedRows[]> {
    const parts = await this.#parts.tokens.readEach(from, to);
    return parts.map((bytes, i) => this.#rowsOf(bytes, from + i));
  }

  /** Those of ascending documents, in few reads. */
  async fetchTokens(
    documents: Int32Array,
    signal: AbortSignal | undefined,
  ): Promise<EncodedRows[]> {
    const parts = await this.#parts.tokens.fetch(documents, signal);
    return parts.map((bytes, i) => this.#rowsOf(bytes, documents[i]));
  }

  /** Documents from .. to with all that they have, in a few reads. */
  async readDocuments(from: number, to: number): Promise<StoredDocument[]> {
    const tokens = await this.readTokens(from, to);
    const records = await this.records(from, to);
    const spans = await this.#parts.spans?.readEach(from, to);
    const mirrors = await this.mirrors();
    const found: StoredDocument[] = [];
    const step = stepPacer();
    for (const [i, record] of records.entries()) {
      const id = this.ids.id(from + i);
      found.push({
        id,
        ...record,
        ...tokens[i],
        spans: spansOf(spans?.[i]),
        ...(mirrors && { mirror: mirrorOf(mirrors, from + i) }),
      });
      await step(STEPS_A_DOCUMENT);
    }
    return found;
  }

  async close(): Promise<void> {
    if (this.tokens) this.#device.free(this.tokens);
    await this.stored.close();
  }

  #rowsOf({ buffer, byteOffset, length }: Uint8Array, document: number): EncodedRows {
    const rows =
      this.#layout.encoding.dtype === 'f32'
        ? new Float32Array(buffer, byteOffset, length / 4)
        : new Int8Array(buffer, byteOffset, length);
    return { rows, scale: this.scales?.[document] ?? 1 };
  }
}

/** Pairs of places in the text; documents without any hold -1. */
function spansOf(bytes: Uint8Array | undefined): Int32Array | undefined {
  const spans = bytes && new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return spans && spans[0] >= 0 ? spans : undefined;
}
