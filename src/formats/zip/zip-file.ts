import {
  type ByteSource,
  checkedSource,
  eachChunk,
  readBytes,
  type UnnamedSource,
} from '../../bytes/byte-source.js';
import { crc32 } from '../../bytes/crc32.js';
import {
  badZip,
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

  return new StoredEntries(source, directory.begin, found);
}

interface EntryPlace {
  readonly entry: ZipEntry;
  readonly next: ZipEntry | undefined;
  /** Where its contents begin, once its local header has been read. */
  begin?: number;
}

class StoredEntries implements ZipFile {
  readonly sizes: ReadonlyMap<string, number>;
  readonly #source: ByteSource;
  /** Where the directory begins, before which all contents end. */
  readonly #end: number;
  readonly #places = new Map<string, EntryPlace>();

  /** `entries` in the order of their bytes. Raises 'bad-file' where they contradict each other. */
  constructor(source: ByteSource, end: number, entries: readonly ZipEntry[]) {
    this.#source = source;
    this.#end = end;
    for (const [i, entry] of entries.entries()) {
      if (this.#places.has(entry.name))
        throw badZip(source.name, `the name '${entry.name}' comes twice`);
      const place: EntryPlace = { entry, next: entries[i + 1] };
      // at least: how long the local header is, is known when it has been read
      this.#checkEnd(place, entry.begin + LOCAL_LENGTH + entry.nameLength + entry.size);
      this.#places.set(entry.name, place);
    }
    this.sizes = new Map(entries.map(({ name, size }) => [name, size]));
  }

  async begin(name: string, signal?: AbortSignal): Promise<number> {
    const place = this.#place(name);
    if (place.begin === undefined) {
      const { entry } = place;
      const length = LOCAL_LENGTH + entry.nameLength;
      const header = await readBytes(this.#source, entry.begin, length, signal);
      const begin = contentsBegin(header, entry, this.#source.name);
      this.#checkEnd(place, begin + entry.size);
      place.begin = begin;
    }
    return place.begin;
  }

  async each(
    name: string,
    from: number,
    to: number,
    signal: AbortSignal | undefined,
    use: (chunk: Uint8Array, at: number) => void,
  ): Promise<void> {
    const begin = await this.begin(name, signal);
    const { entry } = this.#place(name);
    const whole = from === 0 && to === entry.size;
    let sum = 0;
    await eachChunk(this.#source, begin + from, begin + to, signal, (chunk, place) => {
      if (whole) sum = crc32(chunk, sum);
      use(chunk, place);
    });
    if (!whole || sum === entry.crc32) return;
    const problem = `the checksum of entry '${name}' is wrong, the file is damaged`;
    throw badZip(this.#source.name, problem);
  }

  #place(name: string): EntryPlace {
    const place = this.#places.get(name);
    if (!place) throw badZip(this.#source.name, `no entry '${name}'`);
    return place;
  }

  /** Raises where contents end behind what comes after them. */
  #checkEnd({ entry, next }: EntryPlace, end: number): void {
    if (end > this.#end) {
      const problem = `entry '${entry.name}' ends at byte ${end}, expected at most ${this.#end}`;
      throw badZip(this.#source.name, problem);
    }
    if (next && end > next.begin)
      throw badZip(this.#source.name, `entry '${next.name}' overlaps the one before it`);
  }
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
