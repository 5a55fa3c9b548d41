import {
  checkedSource,
  eachChunk,
  readBytes,
  type UnnamedSource,
} from '../../bytes/byte-source.js';
import { crc32 } from '../../bytes/crc32.js';
import {
  badFile,
  contentsBegin,
  findDirectory,
  LOCAL_LENGTH,
  readDirectory,
  type ZipEntry,
} from './zip-directory.js';

/** Named contents that are read in parts. */
export interface ZipContents {
  /** Bytes of each entry, by its name. */
  readonly sizes: ReadonlyMap<string, number>;
  /**
   * Calls `use` with the entry's bytes from `from` up to `to`, which must be within it, a chunk of
   * a few MiB at a time and in order; `at` counts from `from`.
   */
  each(
    name: string,
    from: number,
    to: number,
    signal: AbortSignal | undefined,
    use: (chunk: Uint8Array, at: number) => void,
  ): Promise<void>;
}

/** A zip file of which only the directory has been read. */
export interface ZipFile extends ZipContents {
  /**
   * Where the entry's contents begin in the file. Reads its local header, once. Rejects with
   * 'bad-file'.
   */
  begin(name: string, signal?: AbortSignal): Promise<number>;
}

/**
 * Opens a zip file of stored (not compressed) entries, of any size, by its central directory, zip64
 * included; entries come in the order of their bytes. An entry's local header is read and checked
 * when its contents are asked for, and its CRC whenever all of them are. `where` names the file in
 * errors. Rejects with `bad-file` for a file that is truncated, damaged or contradicts itself
 * (entries that overlap, names that come twice, a comment or anything else behind the directory),
 * `unsupported` for compressed, encrypted or split ones.
 */
export async function openZip(
  given: UnnamedSource,
  at?: string,
  signal?: AbortSignal,
): Promise<ZipFile> {
  const source = checkedSource(given, at, 'zip');
  const { name: where, size } = source;
  const read = (begin: number, length: number): Promise<Uint8Array> =>
    readBytes(source, begin, length, signal);
  const directory = await findDirectory(size, read, where);
  const bytes = await read(directory.begin, directory.end - directory.begin);
  const found = readDirectory(bytes, directory.entries, size, where).sort(
    (a, b) => a.begin - b.begin,
  );

  const entries = new Map<
    string,
    { entry: ZipEntry; next: ZipEntry | undefined; begin?: number }
  >();
  /** Raises where contents end behind what comes after them. */
  const checkEnd = (entry: ZipEntry, next: ZipEntry | undefined, end: number): void => {
    if (end > directory.begin)
      throw badFile(
        where,
        `entry '${entry.name}' ends at byte ${end}, expected at most ${directory.begin}`,
      );
    if (next && end > next.begin)
      throw badFile(where, `entry '${next.name}' overlaps the one before it`);
  };
  for (const [i, entry] of found.entries()) {
    if (entries.has(entry.name)) throw badFile(where, `the name '${entry.name}' comes twice`);
    const next = found[i + 1];
    // at least: how long the local header is, is known when it has been read
    checkEnd(entry, next, entry.begin + LOCAL_LENGTH + entry.nameLength + entry.size);
    entries.set(entry.name, { entry, next });
  }

  const begin: ZipFile['begin'] = async (name, abort) => {
    const place = entries.get(name);
    if (!place) throw badFile(where, `no entry '${name}'`);
    if (place.begin === undefined) {
      const { entry, next } = place;
      const header = await readBytes(source, entry.begin, LOCAL_LENGTH + entry.nameLength, abort);
      const at = contentsBegin(header, entry, where);
      checkEnd(entry, next, at + entry.size);
      place.begin = at;
    }
    return place.begin;
  };

  return {
    sizes: new Map(found.map(({ name, size: length }) => [name, length])),
    begin,
    async each(name, from, to, abort, use) {
      const at = await begin(name, abort);
      const { entry } = entries.get(name)!;
      const whole = from === 0 && to === entry.size;
      let sum = 0;
      await eachChunk(source, at + from, at + to, abort, (chunk, place) => {
        if (whole) sum = crc32(chunk, sum);
        use(chunk, place);
      });
      if (whole && sum !== entry.crc32)
        throw badFile(where, `the checksum of entry '${name}' is wrong, the file is damaged`);
    },
  };
}

/** All bytes of one entry. Rejects as `each` does. */
export async function readEntry(
  zip: ZipContents,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const out = new Uint8Array(zip.sizes.get(name)!);
  await zip.each(name, 0, out.length, signal, (chunk, at) => out.set(chunk, at));
  return out;
}
