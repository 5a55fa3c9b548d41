import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { LemurError } from '../errors.js';
import { fileError } from '../formats/node-file-error.js';
import { type NpyData, writeNpy } from '../formats/npy.js';
import { type NpyDtype, readNpyHeader } from '../formats/npy-header.js';
import { folderStorage } from '../storage/node-folder.js';

/** Bytes that one read asks for. */
const READ_BYTES = 1 << 24;
/** Of a header that has room for any number of rows, so that it can be written last. */
const HEADER_BYTES = 128;

/** A matrix of float32 that is written as its rows come. The file has its name only when it is whole. */
export interface NpyWriter {
  append(rows: Float32Array): Promise<void>;
  finish(): Promise<void>;
  /** Leaves nothing behind; no error after `finish`. */
  discard(): Promise<void>;
}

export async function createNpyFile(path: string, dim: number): Promise<NpyWriter> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  let rows = 0;
  let finished = false;
  await file.write(header(0, dim));
  return {
    async append(values) {
      await writeAll(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), HEADER_BYTES + 4 * dim * rows);
      rows += values.length / dim;
    },
    async finish() {
      await file.write(header(rows, dim), 0, HEADER_BYTES, 0);
      await file.sync();
      await file.close();
      await rename(temporary, path);
      finished = true;
    },
    async discard() {
      if (finished) return;
      await file.close().catch(() => {});
      await rm(temporary, { force: true });
    },
  };
}

/** Writes an array that is in memory as a whole, in one step. */
export function writeNpyFile(path: string, array: { shape: readonly number[]; data: NpyData }): Promise<void> {
  return folderStorage(dirname(path)).replace(basename(path), writeNpy(array));
}

/**
 * Reads float32 straight into shared memory, where workers use it without a copy. `shape` is what the file must have; -1 stands for any length.
 * Raises 'not-found' and 'bad-file', both naming the file.
 */
export async function readFloats(path: string, shape: readonly number[]): Promise<Float32Array> {
  return new Float32Array(await readData(path, 'f4', shape));
}

/** The same for int32. */
export async function readIntegers(path: string, shape: readonly number[]): Promise<Int32Array> {
  return new Int32Array(await readData(path, 'i4', shape));
}

async function readData(path: string, dtype: NpyDtype, shape: readonly number[]): Promise<SharedArrayBuffer> {
  const file = await open(path).catch((cause: unknown) => {
    throw fileError(path, cause);
  });
  try {
    const start = Buffer.alloc(1024);
    const { bytesRead } = await file.read(start, 0, start.length, 0).catch((cause: unknown) => {
      throw fileError(path, cause);
    });
    const found = readNpyHeader(start.subarray(0, bytesRead), path);
    const fits = found.shape.length === shape.length && shape.every((n, i) => n < 0 || n === found.shape[i]);
    if (found.dtype !== dtype || !fits) {
      const expected = shape.map((n) => (n < 0 ? 'any' : n)).join(' x ');
      throw new LemurError('bad-file', `${path}: ${found.dtype} ${found.shape.join(' x ')}, expected ${dtype} ${expected}`, {
        where: path,
      });
    }
    const got = (await file.stat()).size - found.dataOffset;
    if (got !== found.dataBytes) {
      const problem = got < found.dataBytes ? 'truncated' : 'too long';
      throw new LemurError('bad-file', `${path}: ${got} bytes of data, expected ${found.dataBytes}: the file is ${problem}`, {
        where: path,
      });
    }
    const data = new SharedArrayBuffer(found.dataBytes);
    await readAll(file, new Uint8Array(data), found.dataOffset, path);
    return data;
  } finally {
    await file.close();
  }
}

async function readAll(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(READ_BYTES, into.length - at), position + at);
    if (bytesRead === 0) throw new LemurError('bad-file', `${path}: the file became shorter while it was read`, { where: path });
    at += bytesRead;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}

function header(rows: number, dim: number): Uint8Array {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dim}), }`;
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, HEADER_BYTES - 10, 0]);
  bytes.set(new TextEncoder().encode(`${dict.padEnd(HEADER_BYTES - 11)}\n`), 10);
  return bytes;
}
