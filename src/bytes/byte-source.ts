import { badFile, invalidArgument, type LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import { describeKind, showValue } from '../value-kind.js';
import { ownBytes } from './typed-array.js';

/**
 * One file's bytes, read in parts: from a disk, from memory, or from a server that answers range
 * requests. A file that a storage has opened is one.
 */
export interface ByteSource {
  /** Its path or address, for messages. */
  readonly name: string;
  /** The file's length in bytes. */
  readonly size: number;
  /**
   * The `length` bytes from `offset` on. Never asked for bytes beyond `size`; fewer or more than
   * `length` are taken for a damaged file. The array is not to be changed afterwards, as by reading
   * into it again.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A caller's source, which may have no name. */
export type UnnamedSource = ByteSource | Omit<ByteSource, 'name'>;

/** Bytes that are in memory already. */
export function bytesSource(bytes: Uint8Array, name = 'bytes'): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/**
 * A caller's source, found to be one: called `where`, else by its own name, else `otherwise`.
 * Raises 'invalid-argument'.
 */
export function checkedSource(
  source: UnnamedSource,
  where: string | undefined,
  otherwise = 'file',
): ByteSource {
  const { size, read, name: own } = Object(source) as ByteSource;
  const name = where ?? (typeof own === 'string' ? own : otherwise);
  const invalid = (problem: string): LemurError => invalidArgument(name, problem);
  if (typeof read !== 'function')
    throw invalid(`expected { size, read }, got ${describeKind(source)}`);
  if (!Number.isSafeInteger(size) || size < 0)
    throw invalid(`size ${showValue(size)}, expected a non-negative integer`);
  return { name, size, read: (offset, length) => source.read(offset, length) };
}

/** Most bytes that are asked for at once; a multiple of every element size. */
const CHUNK = 1 << 22;

/**
 * The `length` bytes from `offset` on, in one read; they may be a view of the source's own. Rejects
 * with 'bad-file' for fewer or more.
 */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const { name: where } = source;
  const bytes = ownBytes(await source.read(offset, length), where);
  if (bytes.length === length) return bytes;
  const problem = `${bytes.length} bytes at byte ${offset}, expected ${length}`;
  throw badFile(where, `${problem}: the file is truncated or has changed`);
}

/**
 * Calls `use` with the bytes from `begin` up to `end`, a chunk at a time and in order, giving way
 * to other work in between. Rejects as `readExactly` does, or with the signal's reason.
 */
export async function eachChunk(
  source: ByteSource,
  begin: number,
  end: number,
  signal: AbortSignal | undefined,
  use: (chunk: Uint8Array, at: number) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const pace = pacer(signal);
  for (let at = begin; at < end; at += CHUNK) {
    if (at > begin) await pace();
    const chunk = await readExactly(source, at, Math.min(CHUNK, end - at));
    signal?.throwIfAborted();
    use(chunk, at - begin);
  }
}

/** A copy of the `length` bytes from `begin` on. Rejects as `eachChunk` does. */
export async function readBytes(
  source: ByteSource,
  begin: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  await eachChunk(source, begin, begin + length, signal, (chunk, at) => out.set(chunk, at));
  return out;
}

/** A copy of all bytes. Rejects as `eachChunk` does. */
export function readAll(source: ByteSource, signal?: AbortSignal): Promise<Uint8Array> {
  return readBytes(source, 0, source.size, signal);
}
