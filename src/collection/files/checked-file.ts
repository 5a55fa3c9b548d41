import { readBytes, readExactly } from '../../bytes/byte-source.js';
import { crc32, crc32Paced } from '../../bytes/crc32.js';
import { LemurError } from '../../errors.js';
import {
  type SafetensorsArray,
  type SafetensorsEntry,
  toTypedArray,
  writeSafetensorsPaced,
} from '../../formats/safetensors/safetensors.js';
import {
  openSafetensors,
  type SafetensorsFile,
} from '../../formats/safetensors/safetensors-file.js';
import {
  elementSizes,
  LENGTH_BYTES,
  product,
} from '../../formats/safetensors/safetensors-header.js';
import { nextMacrotask, stepPacer } from '../../pacer.js';
import type { Storage, StoredFile } from '../../storage/storage.js';
import type { FileEntry } from './manifest.js';

/** What a section counts as among the steps between two turns of the event loop. */
const STEPS_A_SECTION = 8;
/** Sections of a file whose header takes some time. */
const MANY_SECTIONS = 1024;

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
  const header =
    LENGTH_BYTES + Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const entry = {
    name,
    bytes: bytes.length,
    crc32: await crc32Paced(bytes),
    headerCrc32: crc32(bytes.subarray(0, header)),
  };
  return { entry, bytes };
}

/** A data file that is open. Its header has been checked, each section is when it is read whole. */
export interface CheckedFile {
  readonly name: string;
  readonly stored: StoredFile;
  readonly sections: SafetensorsFile['tensors'];
  /** Where a section begins in the file. */
  offset(section: string): number;
  /** A whole section, checked. Rejects with 'bad-file'. */
  read(section: string): Promise<SafetensorsEntry>;
  array<A extends SafetensorsArray>(
    section: string,
    type: SafetensorsEntry['type'],
    shape: readonly number[],
  ): Promise<A>;
  /** Bytes of a section, not checked: the caller does. */
  range(section: string, from: number, to: number): Promise<Uint8Array>;
}

/** Opens a data file and checks length and header. Rejects with 'not-found' and 'bad-file'. */
export async function openCheckedFile(
  storage: Storage,
  entry: FileEntry,
  kind: string,
): Promise<CheckedFile> {
  const where = `${storage.name}/${entry.name}`;
  const stored = await storage.open(entry.name);
  try {
    return await checkedFile(stored, entry, kind, where);
  } catch (error) {
    await stored.close();
    throw error;
  }
}

async function checkedFile(
  stored: StoredFile,
  entry: FileEntry,
  kind: string,
  where: string,
): Promise<CheckedFile> {
  const bad = (problem: string): LemurError =>
    new LemurError('bad-file', `${where}: ${problem}: the file is damaged`, { where });
  if (stored.size !== entry.bytes) throw bad(`${stored.size} bytes, expected ${entry.bytes}`);
  const first = await readExactly(stored, 0, LENGTH_BYTES);
  const length = Number(
    new DataView(first.buffer, first.byteOffset, first.length).getBigUint64(0, true),
  );
  const body = LENGTH_BYTES + length;
  if (body > stored.size) throw bad(`a header of ${length} bytes in a file of ${stored.size}`);
  const sum = crc32(await readBytes(stored, 0, body, undefined));
  if (sum !== entry.headerCrc32)
    throw bad(`the header's checksum is ${sum}, expected ${entry.headerCrc32}`);
  const file = await openSafetensors(stored, where);
  if (file.metadata.format !== kind) throw bad(`a ${file.metadata.format}, expected a ${kind}`);
  const checks = JSON.parse(file.metadata.crc32 ?? '{}') as Record<string, number>;
  if (file.tensors.size > MANY_SECTIONS) await nextMacrotask();
  // safetensors hides where a tensor lies; they lie end to end
  const offsets = new Map<string, number>();
  let at = body;
  for (const [name, tensor] of file.tensors) {
    offsets.set(name, at);
    at += product(tensor.shape) * elementSizes[tensor.type];
  }
  const read = async (section: string): Promise<SafetensorsEntry> => {
    const found = await file.read(section);
    const actual = await crc32Paced(found.bytes);
    if (actual !== checks[section])
      throw bad(`${section}: checksum ${actual}, expected ${checks[section]}`);
    return found;
  };
  const offset = (section: string): number => {
    const found = offsets.get(section);
    if (found === undefined) throw bad(`no section ${section}`);
    return found;
  };
  return {
    name: entry.name,
    stored,
    sections: file.tensors,
    offset,
    read,
    async array<A extends SafetensorsArray>(
      section: string,
      type: SafetensorsEntry['type'],
      shape: readonly number[],
    ): Promise<A> {
      const found = await read(section);
      if (found.type !== type || found.shape.join() !== shape.join())
        throw bad(`${section}: ${found.type} [${found.shape}], expected ${type} [${shape}]`);
      return toTypedArray(found, where) as A;
    },
    range: async (section, from, to) => readExactly(stored, offset(section) + from, to - from),
  };
}

export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
