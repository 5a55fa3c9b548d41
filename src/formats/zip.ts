import { LemurError } from '../errors.js';
import { crc32Paced } from './crc32.js';

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;
const LOCATOR_LENGTH = 20;
const CENTRAL_LENGTH = 46;
const LOCAL_LENGTH = 30;
/** What a 32-bit field has when the zip64 one counts. */
const ELSEWHERE = 0xffffffff;

/** Where the central directory lies, and how many entries it has. */
interface Directory {
  begin: number;
  end: number;
  entries: number;
}

/** An entry as the central directory has it. */
interface Entry {
  name: string;
  crc32: number;
  size: number;
  /** Of its local header. */
  begin: number;
}

/**
 * Reads a zip file of stored (not compressed) entries by its central directory, zip64 included, and checks every CRC. Entries are views of
 * `file`. `where` names the file in errors. Rejects with `bad-file` for a file that is truncated, damaged or contradicts itself (entries that
 * overlap, names that come twice, a comment or anything else behind the directory), `unsupported` for compressed, encrypted or split ones.
 */
export async function readZip(file: Uint8Array, where: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const directory = findDirectory(view, where);
  const found = readDirectory(file, view, directory, where).sort((a, b) => a.begin - b.begin);
  const out = new Map<string, Uint8Array>();
  let free = 0;
  for (const entry of found) {
    if (out.has(entry.name)) throw badFile(where, `the name '${entry.name}' comes twice`);
    if (entry.begin < free) throw badFile(where, `entry '${entry.name}' overlaps the one before it`);
    const begin = dataBegin(file, view, entry, directory.begin, where);
    free = begin + entry.size;
    if (free > directory.begin) throw badFile(where, `entry '${entry.name}' ends at byte ${free}, expected at most ${directory.begin}`);
    out.set(entry.name, file.subarray(begin, free));
  }
  for (const { name, crc32 } of found) {
    if ((await crc32Paced(out.get(name)!)) !== crc32) throw badFile(where, `the checksum of entry '${name}' is wrong, the file is damaged`);
  }
  return out;
}

/** The directory ends where the records about its end begin, and those end with the file. */
function findDirectory(view: DataView, where: string): Directory {
  const at = view.byteLength - END_LENGTH;
  if (at < 0 || view.getUint32(at, true) !== END || view.getUint16(at + 20, true) !== 0) {
    throw badFile(where, 'no end record in its last bytes, the file is truncated');
  }
  const short = {
    entries: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    begin: view.getUint32(at + 16, true),
  };
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  if (disks.some((disk) => disk !== 0) || view.getUint16(at + 8, true) !== short.entries) {
    throw unsupported(where, 'it is split over several files');
  }
  const locator = at - LOCATOR_LENGTH;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR_64) return directoryOf(short, at, where);

  const record = safe(view, locator + 8, where);
  if (record + 56 > locator || view.getUint32(record, true) !== END_64 || record + 12 + safe(view, record + 4, where) !== locator) {
    throw badFile(where, 'its zip64 end record is damaged');
  }
  const long = { entries: safe(view, record + 32, where), size: safe(view, record + 40, where), begin: safe(view, record + 48, where) };
  if (safe(view, record + 24, where) !== long.entries) throw unsupported(where, 'it is split over several files');
  const agrees = (given: number, most: number, meant: number): boolean => given === most || given === meant;
  if (
    !agrees(short.entries, 0xffff, long.entries) ||
    !agrees(short.size, ELSEWHERE, long.size) ||
    !agrees(short.begin, ELSEWHERE, long.begin)
  ) {
    throw badFile(where, 'its two end records contradict each other');
  }
  return directoryOf(long, record, where);
}

function directoryOf({ entries, size, begin }: { entries: number; size: number; begin: number }, end: number, where: string): Directory {
  if (begin + size !== end) throw badFile(where, `its directory ends at byte ${begin + size}, expected ${end}`);
  return { begin, end, entries };
}

function readDirectory(file: Uint8Array, view: DataView, { begin, end, entries }: Directory, where: string): Entry[] {
  const found: Entry[] = [];
  for (let at = begin; at < end; ) {
    if (at + CENTRAL_LENGTH > end || view.getUint32(at, true) !== CENTRAL) throw badFile(where, 'its directory is damaged');
    const nameBegin = at + CENTRAL_LENGTH;
    const extra = nameBegin + view.getUint16(at + 28, true);
    const comment = extra + view.getUint16(at + 30, true);
    const next = comment + view.getUint16(at + 32, true);
    if (next > end) throw badFile(where, 'its directory is cut off');
    const name = nameOf(file.subarray(nameBegin, extra), where);
    if (view.getUint16(at + 8, true) & 1) throw unsupported(where, `entry '${name}' is encrypted`);
    const method = view.getUint16(at + 10, true);
    if (method !== 0) throw unsupported(where, `entry '${name}' is compressed (method ${method}), expected stored entries`);
    const sizes = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    const [size, stored, offset] = withZip64(view, sizes, extra, comment, name, where);
    if (size !== stored) throw badFile(where, `entry '${name}' has ${stored} bytes stored for ${size}`);
    found.push({ name, crc32: view.getUint32(at + 16, true), size, begin: offset });
    at = next;
  }
  if (found.length !== entries) throw badFile(where, `${found.length} entries in its directory, expected ${entries}`);
  return found;
}

/** The fields with those that are marked as elsewhere taken from the zip64 extra field, which has them in this order. */
function withZip64(view: DataView, fields: readonly number[], begin: number, end: number, name: string, where: string): number[] {
  if (!fields.includes(ELSEWHERE)) return [...fields];
  for (let at = begin; at + 4 <= end; ) {
    const stop = at + 4 + view.getUint16(at + 2, true);
    if (stop > end) break;
    if (view.getUint16(at, true) === 1) {
      let from = at + 4;
      return fields.map((field) => {
        if (field !== ELSEWHERE) return field;
        from += 8;
        if (from > stop) throw badFile(where, `the zip64 field of entry '${name}' is cut off`);
        return safe(view, from - 8, where);
      });
    }
    at = stop;
  }
  throw badFile(where, `entry '${name}' has no zip64 field`);
}

/** Where an entry's bytes begin, by its local header; sizes and CRC may come behind the bytes there, so the directory's count. */
function dataBegin(file: Uint8Array, view: DataView, { name, begin }: Entry, limit: number, where: string): number {
  if (begin + LOCAL_LENGTH > limit || view.getUint32(begin, true) !== LOCAL) throw badFile(where, `entry '${name}' has no local header`);
  const nameEnd = begin + LOCAL_LENGTH + view.getUint16(begin + 26, true);
  if (nameEnd > limit || nameOf(file.subarray(begin + LOCAL_LENGTH, nameEnd), where) !== name || view.getUint16(begin + 8, true) !== 0) {
    throw badFile(where, `the local header of entry '${name}' contradicts the directory`);
  }
  return nameEnd + view.getUint16(begin + 28, true);
}

function nameOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badFile(where, 'a name that is not UTF-8', cause);
  }
}

/** A 64-bit field; none that is larger than the file makes sense. */
function safe(view: DataView, at: number, where: string): number {
  const value = Number(view.getBigUint64(at, true));
  if (value > view.byteLength) throw badFile(where, `a size or offset of ${value} in a file of ${view.byteLength} bytes`);
  return value;
}

function badFile(where: string, problem: string, cause?: unknown): LemurError {
  return new LemurError('bad-file', `${where}: not a valid zip file: ${problem}`, { where }, cause === undefined ? {} : { cause });
}

function unsupported(where: string, problem: string): LemurError {
  return new LemurError('unsupported', `${where}: a zip file that is not read here: ${problem}`, { where });
}
