import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNpy } from '../../src/formats/npy/npy.js';

/** Texts as token vectors, as files have them. */
export interface Tokens {
  vectors: Float32Array;
  counts: Int32Array;
  dim: number;
}

const VALUES = [-1, -0.5, -0.25, 0.25, 0.5, 1];
/** The same as half floats. */
const HALVES = [0xbc00, 0xb800, 0xb400, 0x3400, 0x3800, 0x3c00];

/** Vectors of values that every floating-point type has; text i has `length(i)` of them. */
export function tokensOf(
  texts: number,
  dim: number,
  seed: number,
  length = (i: number): number => 3 + (i % 4),
): Tokens {
  const counts = Int32Array.from({ length: texts }, (_, i) => length(i));
  const rows = counts.reduce((sum, n) => sum + n, 0);
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * VALUES.length);
  };
  return { vectors: Float32Array.from({ length: rows * dim }, () => VALUES[next()]), counts, dim };
}

/** A folder with tokens.npy and counts.npy, and whatever else is given. */
export async function writeTokenFolder(
  folder: string,
  { vectors, counts, dim }: Tokens,
  more: Record<string, string> = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'tokens.npy'),
    writeNpy({ shape: [vectors.length / dim, dim], data: vectors }),
  );
  await writeFile(join(folder, 'counts.npy'), writeNpy({ shape: [counts.length], data: counts }));
  for (const [name, text] of Object.entries(more)) await writeFile(join(folder, name), text);
  return folder;
}

/** The vectors of a .npy file of half floats. */
export function halfNpy(shape: readonly number[], vectors: Float32Array): Uint8Array {
  const file = writeNpy({
    shape,
    data: Uint16Array.from(vectors, (value) => HALVES[VALUES.indexOf(value)]),
  });
  const at = Buffer.from(file).indexOf('<u2');
  file.set(Buffer.from('<f2'), at);
  return file;
}

/** MaxSim by its formula: queries x documents. */
export function plainMaxSim(queries: Tokens, documents: Tokens): number[][] {
  const rowsOf = ({ vectors, counts, dim }: Tokens): Float32Array[][] => {
    let row = 0;
    return Array.from(counts, (count) =>
      Array.from({ length: count }, () => vectors.subarray(row * dim, ++row * dim)),
    );
  };
  const product = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, i) => sum + value * b[i], 0);
  const texts = rowsOf(documents);
  return rowsOf(queries).map((query) =>
    texts.map((text) =>
      query.reduce(
        (sum, token) => sum + Math.max(...text.map((other) => product(token, other))),
        0,
      ),
    ),
  );
}
