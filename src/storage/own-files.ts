import type { Storage } from './storage.js';

/** What a safetensors file has before its header. */
const LENGTH_BYTES = 8;

/**
 * Whether a stored file is a safetensors file of this format (`format` is the first of its metadata), or what a crash may have left of one: cut short, or
 * never filled. Others' files may have such names too, so only these are deleted. What cannot be read is none.
 */
export function isOfFormat(storage: Storage, file: string, format: string): Promise<boolean> {
  return beginsAs(storage, file, LENGTH_BYTES, `{"__metadata__":{"format":"${format}"`);
}

/** The same for a file of text. */
export function beginsAs(storage: Storage, file: string, offset: number, text: string): Promise<boolean> {
  const expected = new TextEncoder().encode(text);
  return storage.readRange(file, 0, offset + expected.length).then(
    (bytes) => bytes.every((byte) => byte === 0) || bytes.subarray(offset).every((byte, i) => byte === expected[i]),
    () => false,
  );
}

/** Whether this is a name of what `replace` makes of a file before it has its own, and a crash may leave: nobody else's are called so. */
export function isTemporaryOf(name: string, file: string): boolean {
  return name.startsWith(`${file}.`) && /^[0-9a-f]{16}\.tmp$/.test(name.slice(file.length + 1));
}
