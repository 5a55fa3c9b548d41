import { describe, expect, test } from 'vitest';
import { wholePanels } from '../../src/kernels/kernels.js';
import { dot, numbers, sum } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { DIMS, evenOf, kinds, rowsOf } from './kernel-kinds.js';

const COUNTS = [1, 2, 3, 50, 9, 2];
const LANES = [1, 15, 16, 17, 255, 256];

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardEachTest(memory);
  const { block } = guarded;

  /** Products of lanes with the nearest of each document's tokens, and what they were made of. */
  const run = (dim: number, lanes: number, wanted: number) => {
    guarded.reset();
    const draw = numbers(dim * 1000 + lanes);
    const rows = (count: number, limit: number): number[][] =>
      Array.from({ length: count }, () => {
        const values = [...draw.integers(dim, limit)];
        return dim % 2 ? [...values, 0] : values;
      });
    const [x, c] = [rows(lanes, 4095), rows(Math.ceil(lanes / 16), 4095)];
    const texts = COUNTS.map((count) => rows(count, 127));
    const even = evenOf(dim);
    const packed = (of: number[][]): number => {
      const panels = block('i16', wholePanels(of.length) * even);
      kernels.packPanelsI16(block('i16', of.flat()).address, of.length, even, panels.address);
      return panels.address;
    };
    const stride = COUNTS.length + 1;
    const out = block('f32', (lanes - 1) * stride + COUNTS.length);
    out.values.fill(7);
    kernels.nearDotsI16(
      packed(x),
      lanes,
      packed(c),
      even,
      block('i16', texts.flat(2)).address,
      block('i32', COUNTS).address,
      block('i32', new Array(COUNTS.length).fill(wanted)).address,
      COUNTS.length,
      out.address,
      stride,
      block('i32', 32 + 17 * (Math.max(...COUNTS) + 1)).address,
    );
    guarded.expectGuardsIntact();
    out.values.forEach((value, i) => {
      if (i % stride >= COUNTS.length) expect(value).toBe(7);
    });
    return { x, c, texts, got: rowsOf(out.values, lanes, COUNTS.length, stride) };
  };

  test.each(DIMS)(
    'find the largest products with the tokens that are nearest to a centre in %d dimensions',
    (dim) => {
      for (const lanes of LANES) {
        const wanted = 5;
        const { x, c, texts, got } = run(dim, lanes, wanted);
        const expected = x.map((lane, i) =>
          texts.map((tokens) => {
            const toCentre = tokens.map((token) => dot(c[i >> 4], token));
            const limit = limitOf(toCentre, wanted);
            const near = tokens.filter((_, t) => toCentre[t] >= limit);
            expect(near.length).toBeGreaterThanOrEqual(Math.min(wanted, tokens.length));
            return Math.fround(Math.max(...near.map((token) => dot(lane, token))));
          }),
        );
        expect(got).toEqual(expected);
      }
    },
  );

  test('look at every token where as many are wanted', () => {
    const { x, texts, got } = run(48, 33, Math.max(...COUNTS));
    expect(got).toEqual(
      x.map((lane) =>
        texts.map((tokens) => Math.fround(Math.max(...tokens.map((token) => dot(lane, token))))),
      ),
    );
  });

  test('look at few more than are wanted', () => {
    const wanted = 5;
    const { c, texts } = run(128, 16, wanted);
    expect(sum(COUNTS)).toBe(texts.flat().length);
    const toCentre = texts[3].map((token) => dot(c[0], token));
    const limit = limitOf(toCentre, wanted);
    expect(toCentre.filter((product) => product >= limit).length).toBeLessThanOrEqual(wanted + 1);
  });
});

/**
 * The largest multiple of a 4,096th of the products' range that `wanted` of them reach, as halving
 * the range finds it.
 */
function limitOf(products: number[], wanted: number): number {
  const sorted = [...products].sort((a, b) => b - a);
  const target = sorted[Math.min(wanted, sorted.length) - 1];
  let [low, high] = [sorted[sorted.length - 1], sorted[0]];
  for (let i = 0; i < 12; i++) {
    const middle = low + Math.floor((high - low) / 2);
    // at least `wanted` reach what the wanted-th reaches
    if (sorted.length >= wanted && target >= middle) low = middle;
    else high = middle;
  }
  return low;
}
