import { nextMacrotask } from '../pacer.js';

const table = new Int32Array(256).map((_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/**
 * CRC-32 of ISO-HDLC (zip, gzip, PNG) as an unsigned number; `seed` is that of the bytes before.
 */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** Byte by byte, for platforms that have none of their own. */
export const plainCrc32: Crc32 = (bytes, seed = 0) => {
  let c = ~seed;
  for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
};

/** The platform's, where it has one (`Platform.crc32`), else the plain one. */
export let crc32: Crc32 = plainCrc32;

/** Sets what `crc32` is from now on. */
export function provideCrc32(quicker: Crc32 | undefined): void {
  crc32 = quicker ?? plainCrc32;
}

const SLICE = 1 << 22;

/** CRC-32 of many bytes, giving way to other work between slices. */
export async function crc32Paced(bytes: Uint8Array): Promise<number> {
  let sum = 0;
  for (let from = 0; from < bytes.length; from += SLICE) {
    if (from > 0) await nextMacrotask();
    sum = crc32(bytes.subarray(from, from + SLICE), sum);
  }
  return sum;
}
