import { describe, expect, test } from 'vitest';
import { packedLanes } from '../../src/kernels/kernels.js';
import { dot, numbers, relativeError, sum } from '../numbers.js';
import { guardEachTest } from './guarded-memory.js';
import { DIMS, kinds, rowsOf, SIZES } from './kernel-kinds.js';

const COUNTS = [1, 2, 3, 50, 1, 2];
const TOKENS = sum(COUNTS);

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const plain = await kinds[0][1]();
  const guarded = guardEachTest(memory);
  const others = guardEachTest(plain.memory);
  const { block } = guarded;

  test.each([2, 4, 16, 48, 64, 128])(
    'find the largest inner products of scaled tokens, exact before they are scaled, in %d dimensions',
    (dim) => {
      for (const lanes of SIZES) {
        guarded.reset();
        const draw = numbers(dim * 1000 + lanes);
        const x = block('i16', draw.integers(lanes * dim, 4095));
        const tokens = block('i16', draw.integers(TOKENS * dim, 127));
        const scales = block('f32', draw.floats(TOKENS).map(Math.abs));
        scales.values[3] = 0;
        const counts = block('i32', COUNTS);
        const panels = block('i16', packedLanes(lanes) * dim);
        kernels.packLanesI16(x.address, lanes, dim, panels.address);
        const stride = COUNTS.length + 1;
        const out = block('f32', (lanes - 1) * stride + COUNTS.length);
        out.values.fill(7);
        kernels.maxDotsScaledI16(
          panels.address,
          lanes,
          dim,
          tokens.address,
          scales.address,
          counts.address,
          COUNTS.length,
          out.address,
          stride,
          block('f32', 16).address,
        );
        const rows = rowsOf(tokens.values, TOKENS, dim);
        const expected = rowsOf(x.values, lanes, dim).flatMap((lane) => {
          let token = 0;
          return COUNTS.map((count) => {
            let best = -Infinity;
            for (const end = token + count; token < end; token++)
              best = Math.max(
                best,
                Math.fround(Math.fround(dot(lane, rows[token])) * scales.values[token]),
              );
            return best;
          });
        });
        // a product with a scale of 0 may be -0
        const found = rowsOf(out.values, lanes, COUNTS.length, stride).flat();
        expect(found.map((value) => value + 0)).toEqual(expected.map((value) => value + 0));
        for (let lane = 1; lane < lanes; lane++) expect(out.values[lane * stride - 1]).toBe(7);
        guarded.expectGuardsIntact();
      }
    },
  );

  test.each([4, 2])('look up levels of %d bits, and read each row’s scale', (bits) => {
    for (const bytes of [1, 3, 12, 15, 16, 17, 24, 32, 64, 96]) {
      guarded.reset();
      const perByte = 8 / bits;
      const tokens = 5;
      const draw = numbers(bytes);
      const width = 2 + bytes;
      // where the other blocks before them end: rows need no alignment
      const rows = block('i8', draw.integers(tokens * width, 127));
      const levels = block('i8', draw.integers(16, 127));
      const out = block('i16', tokens * bytes * perByte);
      const scales = block('f32', tokens);
      kernels.unpackLevels(
        rows.address,
        tokens,
        bytes,
        bits,
        levels.address,
        out.address,
        scales.address,
      );
      for (let t = 0; t < tokens; t++) {
        const row = Uint8Array.from(rows.values.subarray(t * width, (t + 1) * width));
        const half = Uint8Array.of(0, 0, row[0], row[1]);
        expect(scales.values[t]).toBe(new DataView(half.buffer).getFloat32(0, true));
        for (const [b, byte] of row.subarray(2).entries())
          for (let part = 0; part < perByte; part++) {
            const code = Math.floor(byte / 2 ** (bits * part)) % 2 ** bits;
            expect(out.values[(t * perByte + part) * bytes + b]).toBe(levels.values[code]);
          }
      }
      guarded.expectGuardsIntact();
    }
  });

  test.each([1, 2, 3, 5, ...DIMS])(
    'rotate rows of %d dimensions, the same bits as plain kernels, lengths and angles kept',
    (dim) => {
      const [rows, rounds, outRow] = [5, 3, dim + 3];
      const draw = numbers(dim);
      const values = draw.floats(rows * dim);
      const turns = draw.floats(rounds * dim);
      const rotated = [
        { kernels, block },
        { kernels: plain.kernels, block: others.block },
      ].map((one) => {
        const x = one.block('f32', values);
        const signs = one.block('f32', turns);
        const out = one.block('f32', rows * outRow);
        out.values.fill(7);
        one.kernels.rotateRows(x.address, rows, dim, signs.address, rounds, out.address, outRow);
        expect(x.values).toEqual(values);
        return rowsOf(out.values, rows, outRow);
      });
      expect(rotated[0]).toEqual(rotated[1]);
      const before = rowsOf(values, rows, dim);
      for (const row of rotated[0]) expect(row.slice(dim)).toEqual([0, 0, 0]);
      expect(
        relativeError(
          rotated[0].flatMap((a) => rotated[0].map((b) => dot(a, b))),
          before.flatMap((a) => before.map((b) => dot(a, b))),
        ),
      ).toBeLessThan(1e-6);
      guarded.expectGuardsIntact();
    },
  );

  test('spread a vector of one value over all dimensions', () => {
    for (const dim of [48, 96, 128, 384]) {
      guarded.reset();
      const x = block(
        'f32',
        Float32Array.from({ length: dim }, (_, j) => (j === dim - 1 ? 1 : 0)),
      );
      const signs = block('f32', numbers(dim).floats(3 * dim));
      const out = block('f32', dim);
      kernels.rotateRows(x.address, 1, dim, signs.address, 3, out.address, dim);
      expect(Math.max(...out.values.map(Math.abs))).toBeLessThan(6 / Math.sqrt(dim));
    }
  });
});
