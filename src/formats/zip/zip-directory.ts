import { badFile, type LemurError, unsupported } from '../../errors.js';

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;
const END_64_LENGTH = 56;
const LOCATOR_LENGTH = 20;
const CENTRAL_LENGTH = 46;
/** Of a local header, before the name. */
export const LOCAL_LENGTH = 30;
/** The value of a 32-bit field when the zip64 one counts. */
const ELSEWHERE = 0xffffffff;
/** A directory longer than this is taken for damage: more than 200,000 entries fit into it. */
const MOST_DIRECTORY = 1 << 24;

/** Where the central directory lies, and how many entries it has. */
export interface ZipDirectory {
  readonly begin: number;
  readonly end: number;
  readonly entries: number;
}

/** An entry as the central directory has it. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes of the name. */
  readonly nameLength: number;
  readonly crc32: number;
  /** Bytes of its contents. */
  readonly size: number;
  /** Of its local header. */
  readonly begin: number;
}

/** Bytes of the file that are known to be there. */
type Read = (begin: number, length: number) => Promise<Uint8Array>;

/**
 * Finds the directory of a file of `size` bytes: it ends where the records about its end begin, and
 * those end with the file.
 */
export async function findDirectory(
  size: number,
  read: Read,
  where: string,
): Promise<ZipDirectory> {
  const tail = viewOf(
    await read(
      Math.max(0, size - END_LENGTH - LOCATOR_LENGTH),
      Math.min(size, END_LENGTH + LOCATOR_LENGTH),
    ),
  );
  const at = tail.byteLength - END_LENGTH;
  if (at < 0 || tail.getUint32(at, true) !== END || tail.getUint16(at + 20, true) !== 0) {
    throw badZip(where, 'no end record in its last bytes, the file is truncated');
  }
  const short = {
    entries: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    begin: tail.getUint32(at + 16, true),
  };
  const disks = [tail.getUint16(at + 4, true), tail.getUint16(at + 6, true)];
  if (disks.some((disk) => disk !== 0) || tail.getUint16(at + 8, true) !== short.entries) {
    throw unsupportedZip(where, 'it is split over several files');
  }
  const locator = size - END_LENGTH - LOCATOR_LENGTH;
  if (locator < 0 || tail.getUint32(0, true) !== LOCATOR_64)
    return directoryOf(short, size - END_LENGTH, where);

  const begin = safe(tail, 8, size, where);
  const damaged = (): LemurError => badZip(where, 'its zip64 end record is damaged');
  if (begin + END_64_LENGTH > locator) throw damaged();
  const record = viewOf(await read(begin, END_64_LENGTH));
  if (record.getUint32(0, true) !== END_64 || begin + 12 + safe(record, 4, size, where) !== locator)
    throw damaged();
  const [entries, length, first] = [32, 40, 48].map((field) => safe(record, field, size, where));
  if (safe(record, 24, size, where) !== entries)
    throw unsupportedZip(where, 'it is split over several files');
  const agrees = (given: number, most: number, meant: number): boolean =>
    given === most || given === meant;
  if (
    !agrees(short.entries, 0xffff, entries) ||
    !agrees(short.size, ELSEWHERE, length) ||
    !agrees(short.begin, ELSEWHERE, first)
  ) {
    throw badZip(where, 'its two end records contradict each other');
  }
  return directoryOf({ entries, size: length, begin: first }, begin, where);
}

function directoryOf(
  { entries, size, begin }: { entries: number; size: number; begin: number },
  end: number,
  where: string,
): ZipDirectory {
  if (begin + size !== end)
    throw badZip(where, `its directory ends at byte ${begin + size}, expected ${end}`);
  if (size > MOST_DIRECTORY)
    throw unsupportedZip(where, `a directory of ${size} bytes, expected at most ${MOST_DIRECTORY}`);
  return { begin, end, entries };
}

/**
 * The entries in the order of the directory, whose `bytes` are given, of a file of `size` bytes.
 */
export function readDirectory(
  bytes: Uint8Array,
  entries: number,
  size: number,
  where: string,
): ZipEntry[] {
  const view = viewOf(bytes);
  const found: ZipEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + CENTRAL_LENGTH > bytes.length || view.getUint32(at, true) !== CENTRAL)
      throw badZip(where, 'its directory is damaged');
    const nameBegin = at + CENTRAL_LENGTH;
    const extra = nameBegin + view.getUint16(at + 28, true);
    const comment = extra + view.getUint16(at + 30, true);
    const next = comment + view.getUint16(at + 32, true);
    if (next > bytes.length) throw badZip(where, 'its directory is cut off');
    const name = nameOf(bytes.subarray(nameBegin, extra), where);
    if (view.getUint16(at + 8, true) & 1)
      throw unsupportedZip(where, `entry '${name}' is encrypted`);
    const method = view.getUint16(at + 10, true);
    if (method !== 0)
      throw unsupportedZip(
        where,
        `entry '${name}' is compressed (method ${method}), expected stored entries`,
      );
    const sizes = [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ];
    const [length, stored, begin] = withZip64(view, sizes, extra, comment, name, size, where);
    if (length !== stored)
      throw badZip(where, `entry '${name}' has ${stored} bytes stored for ${length}`);
    found.push({
      name,
      nameLength: extra - nameBegin,
      crc32: view.getUint32(at + 16, true),
      size: length,
      begin,
    });
    at = next;
  }
  if (found.length !== entries)
    throw badZip(where, `${found.length} entries in its directory, expected ${entries}`);
  return found;
}

/**
 * The fields with those that are marked as elsewhere taken from the zip64 extra field, which has
 * them in this order.
 */
function withZip64(
  view: DataView,
  fields: readonly number[],
  begin: number,
  end: number,
  name: string,
  size: number,
  where: string,
): number[] {
  if (!fields.includes(ELSEWHERE)) return [...fields];
  for (let at = begin; at + 4 <= end; ) {
    const stop = at + 4 + view.getUint16(at + 2, true);
    if (stop > end) break;
    if (view.getUint16(at, true) === 1) {
      let from = at + 4;
      return fields.map((field) => {
        if (field !== ELSEWHERE) return field;
        from += 8;
        if (from > stop) throw badZip(where, `the zip64 field of entry '${name}' is cut off`);
        return safe(view, from - 8, size, where);
      });
    }
    at = stop;
  }
  throw badZip(where, `entry '${name}' has no zip64 field`);
}

/**
 * Where an entry's contents begin, by the `LOCAL_LENGTH + nameLength` bytes of its local header;
 * sizes and CRC may come behind the contents there, so the directory's count.
 */
export function contentsBegin(
  header: Uint8Array,
  { name, nameLength, begin }: ZipEntry,
  where: string,
): number {
  const view = viewOf(header);
  if (view.getUint32(0, true) !== LOCAL) throw badZip(where, `entry '${name}' has no local header`);
  const agrees = view.getUint16(8, true) === 0 && view.getUint16(26, true) === nameLength;
  if (!agrees || nameOf(header.subarray(LOCAL_LENGTH), where) !== name) {
    throw badZip(where, `the local header of entry '${name}' contradicts the directory`);
  }
  return begin + header.length + view.getUint16(28, true);
}

function nameOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw badZip(where, 'a name that is not UTF-8', cause);
  }
}

/** A 64-bit field; none that is larger than the file of `size` bytes makes sense. */
function safe(view: DataView, at: number, size: number, where: string): number {
  const value = Number(view.getBigUint64(at, true));
  if (value > size) throw badZip(where, `a size or offset of ${value} in a file of ${size} bytes`);
  return value;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function badZip(where: string, problem: string, cause?: unknown): LemurError {
  return badFile(where, `not a valid zip file: ${problem}`, cause);
}

function unsupportedZip(where: string, problem: string): LemurError {
  return unsupported(where, `a zip file that is not read here: ${problem}`);
}
