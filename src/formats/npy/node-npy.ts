import { rename } from 'node:fs/promises';
import { fileKind } from '../../bytes/file-kind.js';
import { halfToFloat } from '../../bytes/half-float.js';
import { openFile, readInto, sharedRoom, writeFrom, writeWhole } from '../../bytes/node-file.js';
import { writeError } from '../../bytes/node-file-error.js';
import { createReplacement } from '../../bytes/node-replacement.js';
import { badFile } from '../../errors.js';
import { type NpyData, writeNpy } from './npy.js';
import { type NpyDtype, type NpyHeader, readNpyHeader } from './npy-header.js';

/** Values that are converted at a time. */
const VALUES = 1 << 22;
/** Bytes that the header of most files has, and that it may have. */
const USUAL_HEADER = 1024;
const MOST_HEADER = 1 << 20;
/** Of a header that has room for any number of rows, so that it can be written last. */
const HEADER_BYTES = 128;

/**
 * A matrix of float32 that is written as its rows come. The file has its name only when it is
 * whole.
 */
export interface NpyWriter {
  append(rows: Float32Array): Promise<void>;
  finish(): Promise<void>;
  /** Leaves nothing behind; no error after `finish`. */
  discard(): Promise<void>;
}

export async function createNpyFile(path: string, dim: number): Promise<NpyWriter> {
  const failed = (cause: unknown): never => {
    throw writeError(path, 'written', cause);
  };
  const { file, temporary, discard } = await createReplacement(path).catch(failed);
  let rows = 0;
  let finished = false;
  await writeFrom(file, header(0, dim), 0).catch(failed);
  return {
    async append(values) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      await writeFrom(file, bytes, HEADER_BYTES + 4 * dim * rows).catch(failed);
      rows += values.length / dim;
    },
    async finish() {
      await writeFrom(file, header(rows, dim), 0)
        .then(() => file.sync())
        .then(() => file.close())
        .then(() => rename(temporary, path))
        .catch(failed);
      finished = true;
    },
    async discard() {
      if (!finished) await discard();
    },
  };
}

/** Writes an array that is in memory as a whole, in one step. */
export function writeNpyFile(
  path: string,
  array: { shape: readonly number[]; data: NpyData },
): Promise<void> {
  return writeWhole(path, writeNpy(array));
}

/**
 * Reads float32 straight into shared memory, where workers use it without a copy. `shape` is what
 * the file must have; -1 stands for any length. Raises 'not-found' and 'bad-file', both naming the
 * file.
 */
export async function readFloats(path: string, shape: readonly number[]): Promise<Float32Array> {
  return new Float32Array(await readExpected(path, 'f4', shape));
}

/** Integers of an int32 file, read as `readFloats` reads. */
export async function readIntegers(path: string, shape: readonly number[]): Promise<Int32Array> {
  return new Int32Array(await readExpected(path, 'i4', shape));
}

/**
 * Floating-point values of any shape and width as float32 in shared memory; what is not float32 is
 * converted piece by piece.
 */
export function readNpyFloats(
  path: string,
): Promise<{ shape: readonly number[]; data: Float32Array }> {
  return withNpy(path, async ({ dtype, shape, length }, read) => {
    if (dtype !== 'f4' && dtype !== 'f2' && dtype !== 'f8') {
      throw badFile(
        path,
        `values of type ${dtype}, expected floating-point numbers (f4, f2 or f8)`,
      );
    }
    const data = new Float32Array(sharedRoom(4 * length, path));
    if (dtype === 'f4') {
      await read(new Uint8Array(data.buffer), 0);
      return { shape, data };
    }
    const Values = dtype === 'f2' ? Uint16Array : Float64Array;
    for (let from = 0; from < length; from += VALUES) {
      const values = new Values(Math.min(VALUES, length - from));
      await read(new Uint8Array(values.buffer), from * values.BYTES_PER_ELEMENT);
      data.set(values instanceof Uint16Array ? halfToFloat(values) : values, from);
    }
    return { shape, data };
  });
}

/** A file's header, after its length has been found right. */
export function readNpyFileHeader(path: string): Promise<NpyHeader> {
  return withNpy(path, async (found) => found);
}

function readExpected(
  path: string,
  dtype: NpyDtype,
  shape: readonly number[],
): Promise<SharedArrayBuffer> {
  return withNpy(path, async (found, read) => {
    const fits =
      found.shape.length === shape.length && shape.every((n, i) => n < 0 || n === found.shape[i]);
    if (found.dtype !== dtype || !fits) {
      const expected = shape.map((n) => (n < 0 ? 'any' : n)).join(' x ');
      throw badFile(
        path,
        `${found.dtype} ${found.shape.join(' x ')}, expected ${dtype} ${expected}`,
      );
    }
    const data = sharedRoom(found.dataBytes, path);
    await read(new Uint8Array(data), 0);
    return data;
  });
}

/** Opens a .npy file; `read` fills an array from a byte of its data on. */
async function withNpy<T>(
  path: string,
  use: (header: NpyHeader, read: (into: Uint8Array, from: number) => Promise<void>) => Promise<T>,
): Promise<T> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    let start = Buffer.alloc(Math.min(size, USUAL_HEADER));
    await readInto(file, start, 0, path);
    // some writers leave room in it
    const end = Math.min(size, headerEnd(start));
    if (end > MOST_HEADER) {
      throw badFile(path, `a .npy header of ${end} bytes, at most ${MOST_HEADER} are read`);
    }
    if (end > start.length) {
      start = Buffer.alloc(end);
      await readInto(file, start, 0, path);
    }
    const found = readNpyHeader(start, path);
    const got = size - found.dataOffset;
    if (got !== found.dataBytes) {
      const problem = got < found.dataBytes ? 'truncated' : 'too long';
      throw badFile(
        path,
        `${got} bytes of data, expected ${found.dataBytes}: the file is ${problem}`,
      );
    }
    return await use(found, (into, from) => readInto(file, into, found.dataOffset + from, path));
  } finally {
    await file.close();
  }
}

/** Where the header says that it ends; 0 of other files. */
function headerEnd(start: Buffer): number {
  if (start.length < 12 || fileKind(start) !== 'npy') return 0;
  return start[6] === 1 ? 10 + start.readUInt16LE(8) : 12 + start.readUInt32LE(8);
}

function header(rows: number, dim: number): Uint8Array {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dim}), }`;
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, HEADER_BYTES - 10, 0]);
  bytes.set(new TextEncoder().encode(`${dict.padEnd(HEADER_BYTES - 11)}\n`), 10);
  return bytes;
}
