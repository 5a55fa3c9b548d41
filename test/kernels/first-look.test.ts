import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/kernels.js';
import { type LookKernels, lookLanes } from '../../src/kernels/look-kernels.js';
import { relaxedBinary } from '../../src/kernels/relaxed.js';
import { compileKernels, simdKernels } from '../../src/kernels/simd.js';
import { dot, numbers, sum } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { kinds, rowsOf } from './kernel-kinds.js';

type Looking = [
  string,
  () => Promise<{ kernels: Kernels & LookKernels; memory: WebAssembly.Memory }>,
];
const [PAGES, STEP] = [256, 65];
const COUNTS = [1, 2, 3, 50, 9, 2, 4, 6];
const LANES = [1, 7, 8, 9, 15, 16, 17, 24, 25, 40];
const DIMS = [16, 48, 128, 384];

/** The plain ones, and on engines that know the instructions those of WASM. */
const looking: Looking[] = [
  kinds[0] as Looking,
  ...((await relaxedBinary(true)) ? [relaxedOver(true), relaxedOver(false)] : []),
];

describe.each(looking)('%s kernels of a first look', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  /** Lanes of 12 bits with the largest ones among them, and what they become. */
  const pack = (lanes: number, dim: number) => {
    const codes = block('i16', numbers(dim * 100 + lanes).integers(lanes * dim, 4095));
    codes.values.fill(4095, 0, 5).fill(-4095, 5, 9);
    const panels = block('i8', lookLanes(lanes) * dim);
    const errors = block('i32', lanes);
    kernels.packLanesU7(codes.address, lanes, dim, STEP, panels.address, errors.address);
    return { codes, panels, errors };
  };
  /** Quotient of a code that lies in panels of 16, the last of 8 where that is enough. */
  const quotient = (panels: Int8Array, lanes: number, dim: number, x: number, k: number) => {
    const first = 16 * Math.floor(x / 16);
    const width = lanes - first > 8 ? 16 : 8;
    return panels[first * dim + 4 * (Math.floor(k / 4) * width + x - first) + (k % 4)] - 64;
  };

  test.each(DIMS)('round lanes to 7 bits and say what is left, in %d dimensions', (dim) => {
    for (const lanes of LANES) {
      guarded.reset();
      const { codes, panels, errors } = pack(lanes, dim);
      for (let x = 0; x < lanes; x++) {
        let error = 0;
        for (let k = 0; k < dim; k++) {
          const rest = codes.values[x * dim + k] - STEP * quotient(panels.values, lanes, dim, x, k);
          expect(Math.abs(rest)).toBeLessThanOrEqual(STEP / 2 + 2);
          error += rest ** 2;
        }
        expect(errors.values[x]).toBe(error);
      }
      // what is in the place of missing lanes multiplies to nothing
      expect(panels.values.every((code) => code > 0)).toBe(true);
      for (let x = lanes; x < lookLanes(lanes); x++)
        expect(quotient(panels.values, lanes, dim, x, dim - 1)).toBe(0);
      guarded.expectGuardsIntact();
    }
  });

  test.each(DIMS)('find the largest products and norms exactly, in %d dimensions', (dim) => {
    for (const lanes of LANES) {
      guarded.reset();
      const { panels } = pack(lanes, dim);
      const tokens = block('i8', numbers(dim + lanes).integers(sum(COUNTS) * dim, 127));
      // the largest sums there can be, of either sign
      tokens.values.fill(127, 0, dim).fill(-127, 3 * dim, 4 * dim);
      const counts = block('i32', COUNTS);
      const offsets = block('i32', sum(COUNTS));
      const norms = block('i32', COUNTS.length);
      const { length } = COUNTS;
      kernels.sumTokensI8(
        tokens.address,
        dim,
        counts.address,
        length,
        offsets.address,
        norms.address,
      );
      const stride = length + 1;
      const out = block('f32', (lanes - 1) * stride + length);
      out.values.fill(7);
      kernels.maxDotsU7(
        panels.address,
        lanes,
        dim,
        tokens.address,
        offsets.address,
        counts.address,
        length,
        out.address,
        stride,
        block('f32', 16).address,
      );
      const rows = rowsOf(tokens.values, sum(COUNTS), dim);
      expect([...offsets.values]).toEqual(rows.map((row) => -64 * sum(row)));
      let token = 0;
      for (const [d, count] of COUNTS.entries()) {
        const own = rows.slice(token, token + count);
        token += count;
        expect(norms.values[d]).toBe(Math.max(...own.map((row) => dot(row, row))));
        for (let x = 0; x < lanes; x++) {
          const lane = Array.from({ length: dim }, (_, k) =>
            quotient(panels.values, lanes, dim, x, k),
          );
          expect(out.values[x * stride + d]).toBe(Math.max(...own.map((row) => dot(row, lane))));
        }
      }
      out.values.forEach((value, i) => {
        if (i % stride >= length) expect(value).toBe(7);
      });
      guarded.expectGuardsIntact();
    }
  });
});

function relaxedOver(shared: boolean): Looking {
  return [
    `WASM over ${shared ? 'shared' : 'unshared'} memory`,
    async () => {
      const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared });
      const relaxed = new WebAssembly.Module(
        (await relaxedBinary(shared)) as Uint8Array<ArrayBuffer>,
      );
      const kernels = simdKernels(await compileKernels(shared), memory, relaxed);
      return { kernels: kernels as Kernels & LookKernels, memory };
    },
  ];
}
