import { readBytes, readExactly } from '../../bytes/byte-source.js';
import { crc32, crc32Paced } from '../../bytes/crc32.js';
import { badFile, type LemurError } from '../../errors.js';
import {
  type SafetensorsArray,
  type SafetensorsEntry,
  toTypedArray,
  writeSafetensorsPaced,
} from '../../formats/safetensors/safetensors.js';
import { openWithin, type SafetensorsFile } from '../../formats/safetensors/safetensors-file.js';
import {
  elementSizes,
  type HeaderLimits,
  LENGTH_BYTES,
  product,
} from '../../formats/safetensors/safetensors-header.js';
import { nextMacrotask, stepPacer } from '../../pacer.js';
import type { ReadableStorage, StoredFile } from '../../storage/storage.js';
import type { FileEntry } from './manifest.js';

/** Steps that a section counts as, between two turns of the event loop. */
const STEPS_A_SECTION = 8;
/** Sections of a file whose header takes some time. */
const MANY_SECTIONS = 1024;

/**
 * What the manifest's checksum vouches for is as we wrote it: with more, perhaps, than would be
 * written today.
 */
const OWN_HEADERS: HeaderLimits = { bytes: 2 ** 28, tensors: 2 ** 20 };

/** Named arrays of a data file. */
export type Sections = Record<string, { shape: readonly number[]; data: SafetensorsArray }>;

/** A file's bytes, and what the manifest says of it. */
export interface EncodedFile {
  entry: FileEntry;
  bytes: Uint8Array;
}

/**
 * A safetensors file whose metadata holds a CRC-32 of each tensor. `version` is that of the kind of
 * file.
 */
export async function encodeCheckedFile(
  name: string,
  kind: string,
  sections: Sections,
): Promise<EncodedFile> {
  const checks: Record<string, number> = {};
  const step = stepPacer();
  for (const [section, { data }] of Object.entries(sections)) {
    checks[section] = await crc32Paced(bytesOf(data));
    await step(STEPS_A_SECTION);
  }
  // a header of thousands of sections takes some time by itself
  await nextMacrotask();
  const bytes = await writeSafetensorsPaced(sections, {
    format: kind,
    version: '1',
    crc32: JSON.stringify(checks),
  });
  const header = LENGTH_BYTES + headerBytes(bytes);
  const entry = {
    name,
    bytes: bytes.length,
    crc32: await crc32Paced(bytes),
    headerCrc32: crc32(bytes.subarray(0, header)),
  };
  return { entry, bytes };
}

/** Opens a data file and checks length and header. Rejects with 'not-found' and 'bad-file'. */
export async function openCheckedFile(
  storage: ReadableStorage,
  entry: FileEntry,
  kind: string,
): Promise<CheckedFile> {
  const stored = await storage.open(entry.name);
  try {
    return await checkedFile(stored, entry, kind);
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** A data file that is open: checks length and header. Rejects with 'bad-file'. */
export async function checkedFile(
  stored: StoredFile,
  entry: FileEntry,
  kind: string,
): Promise<CheckedFile> {
  const body = await checkHeader(stored, entry);
  const file = await openWithin(stored, undefined, OWN_HEADERS);
  const { format, crc32: checks = '{}' } = file.metadata;
  if (format !== kind) throw damaged(stored, `a ${format}, expected a ${kind}`);
  if (file.tensors.size > MANY_SECTIONS) await nextMacrotask();
  return new CheckedFile(stored, file, body, JSON.parse(checks));
}

/** Where the sections begin. Rejects with 'bad-file'. */
async function checkHeader(stored: StoredFile, entry: FileEntry): Promise<number> {
  const { size } = stored;
  if (size !== entry.bytes) throw damaged(stored, `${size} bytes, expected ${entry.bytes}`);
  const length = headerBytes(await readExactly(stored, 0, LENGTH_BYTES));
  const body = LENGTH_BYTES + length;
  if (body > size) throw damaged(stored, `a header of ${length} bytes in a file of ${size}`);
  const sum = crc32(await readBytes(stored, 0, body, undefined));
  if (sum !== entry.headerCrc32)
    throw damaged(stored, `the header's checksum is ${sum}, expected ${entry.headerCrc32}`);
  return body;
}

function headerBytes({ buffer, byteOffset }: Uint8Array): number {
  return Number(new DataView(buffer, byteOffset, LENGTH_BYTES).getBigUint64(0, true));
}

/** The error for a data file that is not what was written. */
export function damaged({ name: where }: StoredFile, problem: string): LemurError<'bad-file'> {
  return badFile(where, `${problem}: the file is damaged`);
}

/**
 * A data file that is open. Its header has been checked, each section is when it is read whole.
 * Reading rejects with 'bad-file'.
 */
export class CheckedFile {
  readonly stored: StoredFile;
  readonly sections: SafetensorsFile['tensors'];
  readonly #file: SafetensorsFile;
  readonly #offsets = new Map<string, number>();
  readonly #checks: Readonly<Record<string, number>>;

  /** Use `openCheckedFile`. */
  constructor(
    stored: StoredFile,
    file: SafetensorsFile,
    body: number,
    checks: Readonly<Record<string, number>>,
  ) {
    this.stored = stored;
    this.sections = file.tensors;
    this.#file = file;
    this.#checks = checks;
    // safetensors hides where a tensor lies; they lie end to end
    let at = body;
    for (const [name, { shape, type }] of file.tensors) {
      this.#offsets.set(name, at);
      at += product(shape) * elementSizes[type];
    }
  }

  /** Where a section begins in the file. */
  offset(section: string): number {
    const found = this.#offsets.get(section);
    if (found === undefined) throw damaged(this.stored, `no section ${section}`);
    return found;
  }

  /** A whole section, checked. */
  async read(section: string): Promise<SafetensorsEntry> {
    const found = await this.#file.read(section);
    const [actual, expected] = [await crc32Paced(found.bytes), this.#checks[section]];
    if (actual === expected) return found;
    throw damaged(this.stored, `${section}: checksum ${actual}, expected ${expected}`);
  }

  /** A whole section of that type and shape, checked. */
  async array<A extends SafetensorsArray>(
    section: string,
    type: SafetensorsEntry['type'],
    shape: readonly number[],
  ): Promise<A> {
    const found = await this.read(section);
    if (found.type === type && found.shape.join() === shape.join())
      return toTypedArray(found, this.stored.name) as A;
    const got = `${found.type} [${found.shape}]`;
    throw damaged(this.stored, `${section}: ${got}, expected ${type} [${shape}]`);
  }

  /** Bytes of a section, not checked: the caller does. */
  range(section: string, from: number, to: number): Promise<Uint8Array> {
    return readExactly(this.stored, this.offset(section) + from, to - from);
  }
}

export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
