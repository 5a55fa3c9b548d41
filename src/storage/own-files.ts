import type { ReadableStorage } from './storage.js';
import { withStoredFile } from './stored-source.js';

/** Bytes of a safetensors file before its header. */
const LENGTH_BYTES = 8;

/**
 * Whether a stored file is a safetensors file of this format (`format` is the first of its
 * metadata), or what a crash may have left of one: cut short, or never filled. Others' files may
 * have such names too, so only these are deleted. What cannot be read is none.
 */
export async function isOfFormat(
  storage: ReadableStorage,
  file: string,
  format: string,
): Promise<boolean> {
  const bytes = await beginning(storage, file, LENGTH_BYTES);
  // the length of a header is less than 2^24: a few letters are none
  if (
    !bytes ||
    (bytes.length > 0 && bytes.length < 4) ||
    bytes.subarray(3).some((byte) => byte !== 0)
  )
    return false;
  return beginsAs(storage, file, LENGTH_BYTES, `{"__metadata__":{"format":"${format}"`);
}

/** Whether a file begins with a text from `offset` on, or was cut short or never filled. */
export async function beginsAs(
  storage: ReadableStorage,
  file: string,
  offset: number,
  text: string,
): Promise<boolean> {
  const expected = new TextEncoder().encode(text);
  const bytes = await beginning(storage, file, offset + expected.length);
  if (!bytes) return false;
  return (
    bytes.every((byte) => byte === 0) ||
    bytes.subarray(offset).every((byte, i) => byte === expected[i])
  );
}

function beginning(
  storage: ReadableStorage,
  file: string,
  length: number,
): Promise<Uint8Array | undefined> {
  return withStoredFile(storage, file, (opened) => opened.read(0, length)).catch(() => undefined);
}

/**
 * Whether this is a name of what `replace` makes of a file before it has its own, and a crash may
 * leave: nobody else's are called so.
 */
export function isTemporaryOf(name: string, file: string): boolean {
  return name.startsWith(`${file}.`) && /^[0-9a-f]{16}\.tmp$/.test(name.slice(file.length + 1));
}
