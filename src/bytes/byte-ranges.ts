import { LemurError } from '../errors.js';
import { pacer } from '../pacer.js';
import { describeKind, showValue } from '../value-kind.js';
import { ownBytes } from './typed-array.js';

/**
 * One file's bytes, read in parts: from a disk, from memory, or from a server that answers range
 * requests. Of a storage's file: `{ size: await storage.size(file), read: (offset, length) =>
 * storage.readRange(file, offset, length) }`.
 */
export interface ByteRanges {
  /** The file's length in bytes. */
  readonly size: number;
  /**
   * The `length` bytes from `offset` on. Never asked for bytes beyond `size`; fewer or more than
   * `length` are taken for a damaged file.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes that are in memory already. */
export function rangesOf(bytes: Uint8Array): ByteRanges {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** The file's length, found to be one. Raises 'invalid-argument'. */
export function checkedSize(ranges: ByteRanges, where: string): number {
  const { size, read } = Object(ranges) as ByteRanges;
  if (typeof read !== 'function')
    throw new LemurError(
      'invalid-argument',
      `${where}: expected { size, read }, got ${describeKind(ranges)}`,
      { where },
    );
  if (!Number.isSafeInteger(size) || size < 0)
    throw new LemurError(
      'invalid-argument',
      `${where}: size ${showValue(size)}, expected a non-negative integer`,
      { where },
    );
  return size;
}

/** Most bytes that are asked for at once; a multiple of every element size. */
const CHUNK = 1 << 22;

/**
 * Calls `use` with the bytes from `begin` up to `end`, a chunk at a time and in order, giving way
 * to other work in between. Rejects with 'bad-file' for a short read, or the signal's reason.
 */
export async function eachChunk(
  ranges: ByteRanges,
  begin: number,
  end: number,
  where: string,
  signal: AbortSignal | undefined,
  use: (chunk: Uint8Array, at: number) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const pace = pacer(signal);
  for (let at = begin; at < end; at += CHUNK) {
    if (at > begin) await pace();
    const length = Math.min(CHUNK, end - at);
    const chunk = ownBytes(await ranges.read(at, length), where);
    signal?.throwIfAborted();
    if (chunk.length !== length) {
      const problem = `${chunk.length} bytes at byte ${at}, expected ${length}: the file is truncated or has changed`;
      throw new LemurError('bad-file', `${where}: ${problem}`, { where });
    }
    use(chunk, at - begin);
  }
}

/** A copy of the `length` bytes from `begin` on. Rejects as `eachChunk` does. */
export async function readBytes(
  ranges: ByteRanges,
  begin: number,
  length: number,
  where: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  await eachChunk(ranges, begin, begin + length, where, signal, (chunk, at) => out.set(chunk, at));
  return out;
}
