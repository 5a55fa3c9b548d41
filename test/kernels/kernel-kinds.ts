import type { Kernels } from '../../src/kernels/kernels.js';
import { plainKernels } from '../../src/kernels/plain/plain.js';
import { compileKernels, simdKernels } from '../../src/kernels/simd.js';

export const SIZES = [1, 2, 3, 15, 16, 17, 255, 256, 257];
export const DIMS = [1, 7, 48, 64, 96, 128, 384];
const PAGES = 256;
export const TOLERANCE = 1e-6;

export const kinds: [string, () => Promise<{ kernels: Kernels; memory: WebAssembly.Memory }>][] = [
  ['plain', async () => withPlain(new WebAssembly.Memory({ initial: PAGES }))],
  [
    'WASM over shared memory',
    () => withWasm(new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true }), true),
  ],
  [
    'WASM over unshared memory',
    () => withWasm(new WebAssembly.Memory({ initial: PAGES, maximum: PAGES }), false),
  ],
];

function withPlain(memory: WebAssembly.Memory) {
  return { kernels: plainKernels(memory), memory };
}

async function withWasm(memory: WebAssembly.Memory, shared: boolean) {
  return { kernels: simdKernels(await compileKernels(shared), memory), memory };
}

export const evenOf = (n: number): number => n + (n % 2);

/** Element (i, j) of a matrix given by its rows' distance, in float64. */
export const rowsOf = (
  values: ArrayLike<number>,
  rows: number,
  n: number,
  stride = n,
): number[][] =>
  Array.from({ length: rows }, (_, r) =>
    Array.from({ length: n }, (_, j) => values[r * stride + j]),
  );
