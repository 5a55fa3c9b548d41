import { type FileHandle, lstat, rename } from 'node:fs/promises';
import { freemem } from 'node:os';
import { badFile, notFound, unsupported } from '../errors.js';
import { fileError, writeError } from './node-file-error.js';
import { openRegular } from './node-regular-file.js';
import { createReplacement } from './node-replacement.js';

/** Bytes that one read or write asks for. */
const PIECE = 1 << 24;
/** Bytes of a file that is read as one. */
const LARGEST = 2 ** 31 - 1;
/** Bytes that are asked for without a look at what is free. */
const SMALL = 2 ** 30;
/** Of the free memory, for one file. */
const SHARE = 0.8;

/**
 * Opens a file for reading. Raises 'not-found' where there is none, and for what is no regular
 * file: a folder, a named pipe, a device.
 */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await openRegular(path);
  } catch (cause) {
    const link =
      (cause as { code?: unknown }).code === 'ENOENT' && (await lstat(path).catch(() => undefined));
    throw link
      ? notFound(path, 'no such file: a link that leads nowhere', cause)
      : fileError(path, cause);
  }
}

/**
 * A whole file of at most `most` bytes. Raises as `openFile`, and 'unsupported' for a larger one.
 */
export async function readWhole(path: string, most: number = LARGEST): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > most) {
      throw unsupported(path, `${size} bytes, expected at most the ${most} that are read at once`);
    }
    return await file.readFile();
  } catch (cause) {
    throw fileError(path, cause);
  } finally {
    await file.close();
  }
}

/** Fills `into` from `position` on. Raises 'bad-file' where the file ends before. */
export async function readInto(
  file: FileHandle,
  into: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file
      .read(into, at, Math.min(PIECE, into.length - at), position + at)
      .catch((cause: unknown) => {
        throw fileError(path, cause);
      });
    if (bytesRead === 0) throw badFile(path, 'the file became shorter while it was read');
    at += bytesRead;
  }
}

/** The first bytes of a file, at most `length`, and the number that it has in all. */
export async function readHead(
  path: string,
  length: number,
): Promise<{ head: Uint8Array; size: number }> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return { head: buffer.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}

/**
 * A whole file in shared memory, where workers use views of it without a copy. Raises as `openFile`
 * and `sharedRoom` do.
 */
export async function readShared(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const bytes = new Uint8Array(sharedRoom((await file.stat()).size, path));
    await readInto(file, bytes, 0, path);
    return bytes;
  } finally {
    await file.close();
  }
}

/**
 * Shared memory for what a file holds. Raises 'unsupported' where the machine has too little left:
 * to take it all would end in a crash.
 */
export function sharedRoom(bytes: number, path: string): SharedArrayBuffer {
  const left = process.availableMemory?.() ?? freemem();
  try {
    if (bytes <= Math.max(SHARE * left, SMALL)) return new SharedArrayBuffer(bytes);
  } catch {}
  const problem =
    `its vectors take ${bytes} bytes of memory, too many for the ${left} that ` +
    'are free; expected less in one file';
  throw unsupported(path, problem);
}

/** Writes bytes of any length from `position` on. */
export async function writeFrom(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, Math.min(PIECE, bytes.length - at), position + at))
      .bytesWritten;
  }
}

/** Takes the next bytes of a file. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes a file that has its name only when it is whole and safely stored; what had the name before
 * is replaced in one step.
 */
export function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  return writeParts(path, (append) => append(bytes));
}

/**
 * Writes a file that comes in parts, in order, as `writeWhole` does; when `write` fails, nothing is
 * left of it.
 * Raises 'storage-failed', or what `write` raises.
 */
export async function writeParts(
  path: string,
  write: (append: ByteSink) => Promise<void>,
): Promise<void> {
  try {
    const { file, temporary, discard } = await createReplacement(path);
    let written = 0;
    try {
      await write(async (bytes) => {
        await writeFrom(file, bytes, written);
        written += bytes.length;
      });
      await file.sync();
      await file.close();
      await rename(temporary, path);
    } catch (error) {
      await discard();
      throw error;
    }
  } catch (cause) {
    throw writeError(path, 'written', cause);
  }
}
