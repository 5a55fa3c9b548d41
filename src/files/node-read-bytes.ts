import * as fs from 'node:fs';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { fileError } from '../bytes/node-file-error.js';
import { checkRegular, READ_NO_LINK } from '../bytes/node-regular-file.js';
import { badFile, isLemurError, LemurError, unsupported } from '../errors.js';
import { pacer } from '../pacer.js';

// for thousands of small files these take half the time of the file handles of node:fs/promises
const open = promisify(fs.open) as (path: string, flags: number) => Promise<number>;
const fstat = promisify(fs.fstat) as (file: number) => Promise<fs.Stats>;
const read = promisify(fs.read);
const close = promisify(fs.close);

/** Bytes that tell whether a large file is a text. */
const HEAD = 4096;
/** Characters of what a reader says. */
const MOST_SAID = 200;

/** Bytes that are looked at in one go. */
const LOOKED_AT = 1 << 16;

/** Whether there is nothing but white space. Gives way to other work. */
export async function isBlank(bytes: Uint8Array): Promise<boolean> {
  const pace = pacer();
  for (let from = 0; from < bytes.length; from += LOOKED_AT) {
    const to = Math.min(bytes.length, from + LOOKED_AT);
    for (let i = from; i < to; i++) {
      const byte = bytes[i];
      if (byte !== 0x20 && !(byte >= 9 && byte <= 13)) return false;
    }
    await pace();
  }
  return true;
}

/** The same of a text. */
export async function isBlankText(text: string): Promise<boolean> {
  const pace = pacer();
  for (let from = 0; from < text.length; from += LOOKED_AT) {
    if (/\S/.test(text.slice(from, from + LOOKED_AT))) return false;
    await pace();
  }
  return true;
}

/**
 * A regular file of at most so many bytes. undefined for a larger one that is no text; rejects with
 * 'unsupported' for one that is.
 */
export async function readBytes(
  path: string,
  most: number,
): Promise<{ bytes: Uint8Array; modified: string } | undefined> {
  try {
    const file = await openOwn(path);
    try {
      const stats = await fstat(file);
      checkRegular(stats);
      const { size, mtimeMs } = stats;
      const bytes = await readFrom(file, size > most ? HEAD : size);
      if (size > most) {
        if (bytes.includes(0)) return undefined;
        throw unsupported(path, `${size} bytes, expected at most ${most}`);
      }
      return { bytes, modified: new Date(Math.floor(mtimeMs)).toISOString() };
    } finally {
      await close(file);
    }
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/** The walk has seen that a link leads to another file of the folder. */
async function openOwn(path: string): Promise<number> {
  try {
    return await open(path, READ_NO_LINK);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ELOOP') throw error;
    return open(await realpath(path), READ_NO_LINK);
  }
}

/** The first bytes of a file, fewer where it ends before. */
async function readFrom(file: number, count: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(count);
  let at = 0;
  while (at < count) {
    const { bytesRead } = await read(file, bytes, at, count - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/** Whatever a reader raises as an error of ours that names the file. */
export function asLemurError(path: string, error: unknown): LemurError {
  if (isLemurError(error, 'missing-package')) return error;
  if (!isLemurError(error)) {
    const problem = error instanceof Error ? error.message : String(error);
    return badFile(path, `could not be read: ${problem.slice(0, MOST_SAID)}`, error);
  }
  const { code, message, cause } = error;
  const { where } = error.fields;
  const problem = message.startsWith(`${where}: `) ? message.slice(where.length + 2) : message;
  return new LemurError(code, `${path}: ${problem}`, { ...error.fields, where: path }, { cause });
}
