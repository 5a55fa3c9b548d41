import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { FileValues, TypedArray } from '../../dist/device/memory.js';

export interface TemporaryFiles {
  /** A new file with other bytes before and after the values; `name` is its path. */
  write(values: TypedArray): FileValues & { path: string };
  /** Closes and removes all of them. */
  remove(): void;
}

/** Files in a folder of their own. Values begin at odd bytes. */
export function temporaryFiles(): TemporaryFiles {
  const folder = mkdtempSync(join(tmpdir(), 'lemur-device-'));
  const open: number[] = [];
  return {
    write(values) {
      const offset = 13 + 2 * open.length;
      const path = join(folder, `segment-${open.length}`);
      const bytes = Buffer.alloc(offset + values.byteLength + 7, 0xa5);
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
      writeFileSync(path, bytes);
      const descriptor = openSync(path, 'r');
      open.push(descriptor);
      return { descriptor, offset, name: path, path };
    },
    remove() {
      for (const descriptor of open) closeSync(descriptor);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Replaces one byte of a file. */
export function overwrite(path: string, position: number, byte: number): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Uint8Array.of(byte), 0, 1, position);
  closeSync(descriptor);
}

/**
 * CRC-32, as int32, of the bytes of values offsets[i] x width to offsets[i + 1] x width, for each
 * i.
 */
export function checksOf(
  values: TypedArray,
  offsets: ArrayLike<number>,
  width: number,
): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, i) => {
    const part = values.subarray(offsets[i] * width, offsets[i + 1] * width);
    return crc32(new Uint8Array(part.buffer, part.byteOffset, part.byteLength)) | 0;
  });
}
