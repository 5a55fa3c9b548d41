import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ACTIVATIONS,
  type Activation,
  type Kernels,
  wholePanels,
} from '../../src/kernels/kernels.js';
import { plainKernels } from '../../src/kernels/plain/plain.js';
import { compileKernels, simdKernels } from '../../src/kernels/simd.js';
import { dot, numbers, relativeError, sum } from '../numbers.js';
import { guardedMemory } from './guarded-memory.js';

const SIZES = [1, 2, 3, 15, 16, 17, 255, 256, 257];
const DIMS = [1, 7, 48, 64, 96, 128, 384];
const COUNTS = [1, 2, 3, 50, 1, 2];
const PAGES = 256;
const TOLERANCE = 1e-6;

const kinds: [string, () => Promise<{ kernels: Kernels; memory: WebAssembly.Memory }>][] = [
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

const evenOf = (n: number): number => n + (n % 2);
/** Place of value k of a lane in panels of pairs of `dim` values. */
const pairAt = (lane: number, k: number, dim: number): number =>
  (lane >> 4) * 16 * dim + (k >> 1) * 32 + (lane & 15) * 2 + (k & 1);

/** Element (i, j) of a matrix given by its rows' distance, in float64. */
const rowsOf = (values: ArrayLike<number>, rows: number, n: number, stride = n): number[][] =>
  Array.from({ length: rows }, (_, r) =>
    Array.from({ length: n }, (_, j) => values[r * stride + j]),
  );

/** erf x = 2 / sqrt(pi) e^-x^2 sum of 2^n x^(2n+1) / (1 3 5 .. (2n+1)): all terms of one sign. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const formulas: Record<Activation, (x: number) => number> = {
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  mish: (x) => x * Math.tanh(x > 30 ? x : Math.log1p(Math.exp(x))),
};

describe.each(kinds)('%s kernels', async (_name, make) => {
  const { kernels, memory } = await make();
  const guarded = guardedMemory(memory);
  const { block } = guarded;
  beforeEach(() => guarded.reset());
  afterEach(() => guarded.expectGuardsIntact());

  test('pack float32 rows into panels of 16 lanes, missing lanes zero', () => {
    for (const [i, rows] of SIZES.entries()) {
      guarded.reset();
      const dim = DIMS[i % DIMS.length];
      const x = block('f32', numbers(rows).floats(rows * dim));
      const out = block('f32', wholePanels(rows) * dim);
      out.values.fill(9);
      kernels.packLanesF32(x.address, rows, dim, out.address);
      for (let lane = 0; lane < wholePanels(rows); lane++) {
        const packed = Array.from(
          { length: dim },
          (_, k) => out.values[(lane >> 4) * 16 * dim + k * 16 + (lane & 15)],
        );
        expect(packed).toEqual(
          lane < rows
            ? [...x.values.subarray(lane * dim, (lane + 1) * dim)]
            : new Array(dim).fill(0),
        );
      }
      guarded.expectGuardsIntact();
    }
  });

  test('pack int16 rows into panels of pairs, missing lanes zero', () => {
    for (const rows of [1, 15, 16, 17]) {
      for (const dim of DIMS.map(evenOf)) {
        guarded.reset();
        const x = block('i16', numbers(rows).integers(rows * dim, 4095));
        const out = block('i16', wholePanels(rows) * dim);
        out.values.fill(9);
        kernels.packLanesI16(x.address, rows, dim, out.address);
        for (let lane = 0; lane < wholePanels(rows); lane++) {
          const packed = Array.from({ length: dim }, (_, k) => out.values[pairAt(lane, k, dim)]);
          expect(packed).toEqual(
            lane < rows
              ? [...x.values.subarray(lane * dim, (lane + 1) * dim)]
              : new Array<number>(dim).fill(0),
          );
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('pack pairs of int16 rows into panels of columns, a missing row or column zero, other rows untouched', () => {
    for (const rows of [1, 2, 15, 16]) {
      for (const n of [1, 7, 16, 17, 48, 129]) {
        guarded.reset();
        const x = block('i16', numbers(rows * n).integers(rows * evenOf(n), 4095));
        const height = evenOf(rows) + 4;
        const out = block('i16', wholePanels(n) * height);
        out.values.fill(9);
        kernels.packPairsI16(x.address, rows, n, out.address, height);
        for (let j = 0; j < wholePanels(n); j++) {
          const packed = Array.from({ length: height }, (_, r) => out.values[pairAt(j, r, height)]);
          const expected = packed.map((_, r) => {
            if (r >= evenOf(rows)) return 9;
            return r < rows && j < n ? x.values[r * evenOf(n) + j] : 0;
          });
          expect(packed).toEqual(expected);
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('widen int8 rows to int16 rows of even length', () => {
    for (const dim of DIMS) {
      guarded.reset();
      const even = dim + (dim % 2);
      const x = block(
        'i8',
        [-128, 127, ...numbers(dim).integers(17 * dim - 2, 128)].slice(0, 17 * dim),
      );
      const out = block('i16', 17 * even);
      out.values.fill(9);
      kernels.widenI8(x.address, 17, dim, out.address);
      for (let r = 0; r < 17; r++) {
        const row = [...x.values.subarray(r * dim, (r + 1) * dim)];
        expect([...out.values.subarray(r * even, (r + 1) * even)]).toEqual(
          even > dim ? [...row, 0] : row,
        );
      }
      guarded.expectGuardsIntact();
    }
  });

  /**
   * Codes are the nearest, ties to the even one, of values of which the largest becomes `limit`.
   */
  const expectCodes = (
    codes: Int16Array,
    factor: number,
    values: number[],
    limit: number,
  ): void => {
    const largest = Math.max(...values.map(Math.abs));
    expect(factor).toBe(Math.fround(largest / limit));
    for (const [k, value] of values.entries()) {
      expect(Math.abs(codes[k] * factor - value)).toBeLessThanOrEqual(factor * 0.501);
      if (Math.abs(value) === largest && largest > 0) expect(Math.abs(codes[k])).toBe(limit);
      if (largest === 0) expect(codes[k]).toBe(0);
    }
    expect([...codes.subarray(values.length)]).toEqual(
      new Array(codes.length - values.length).fill(0),
    );
  };

  test.each([4095, 2047])(
    'quantise each row by a factor of its own to codes of at most %d, zero rows to zero',
    (limit) => {
      for (const dim of DIMS) {
        for (const scaled of [false, true]) {
          guarded.reset();
          const rows = 5;
          const x = block('f32', numbers(dim).floats(rows * dim));
          x.values.fill(0, 2 * dim, 3 * dim);
          const columns = block('f32', numbers(dim + 1).floats(dim));
          const out = block('i16', rows * evenOf(dim));
          out.values.fill(9);
          const factors = block('f32', rows);
          kernels.quantizeRowsI16(
            x.address,
            rows,
            dim,
            limit,
            scaled ? columns.address : 0,
            out.address,
            factors.address,
          );
          for (let r = 0; r < rows; r++) {
            const row = Array.from({ length: dim }, (_, k) =>
              Math.fround(x.values[r * dim + k] * (scaled ? columns.values[k] : 1)),
            );
            expectCodes(
              out.values.subarray(r * evenOf(dim), (r + 1) * evenOf(dim)),
              factors.values[r],
              row,
              limit,
            );
          }
          guarded.expectGuardsIntact();
        }
      }
    },
  );

  test('quantise rows and columns of any size that float32 has, and take for zero what has no products in it', () => {
    for (const dim of [7, 16]) {
      for (const [size, vanishes] of [
        [1e38, false],
        [1e15, false],
        [1e-15, false],
        [1e-32, false],
        [1e-35, true],
        [1e-40, true],
      ] as const) {
        guarded.reset();
        const x = block(
          'f32',
          numbers(dim)
            .floats(dim * dim)
            .map((value) => value * size),
        );
        x.values[3] = size;
        const [out, columns] = [block('i16', dim * evenOf(dim)), block('i16', dim * evenOf(dim))];
        const [factors, columnFactors, ones] = [
          block('f32', dim),
          block('f32', dim),
          block('f32', dim),
        ];
        ones.values.fill(1);
        kernels.quantizeRowsI16(x.address, dim, dim, 4095, 0, out.address, factors.address);
        kernels.quantizeColumnsI16(
          x.address,
          dim,
          dim,
          dim,
          ones.address,
          2047,
          columns.address,
          columnFactors.address,
        );
        for (let i = 0; i < dim; i++) {
          const row = [...x.values.subarray(i * dim, (i + 1) * dim)];
          const column = Array.from({ length: dim }, (_, r) => x.values[r * dim + i]);
          const zero = (values: number[]): number[] => (vanishes ? values.map(() => 0) : values);
          expectCodes(
            out.values.subarray(i * evenOf(dim), (i + 1) * evenOf(dim)),
            factors.values[i],
            zero(row),
            4095,
          );
          expectCodes(
            columns.values.subarray(i * evenOf(dim), (i + 1) * evenOf(dim)),
            columnFactors.values[i],
            zero(column),
            2047,
          );
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('quantise each column of scaled rows by a factor of its own, zero columns to zero', () => {
    for (const [rows, n] of [
      [1, 1],
      [2, 4],
      [5, 7],
      [16, 3],
      [17, 18],
      [64, 12],
    ]) {
      // prettier-ignore
      guarded.reset();
      const stride = n + 3;
      const x = block('f32', numbers(rows * n).floats(rows * stride));
      for (let r = 0; r < rows; r++) x.values[r * stride + Math.floor(n / 2)] = 0;
      const down = block('f32', numbers(n).floats(rows));
      const out = block('i16', n * evenOf(rows));
      out.values.fill(9);
      const factors = block('f32', n);
      kernels.quantizeColumnsI16(
        x.address,
        rows,
        n,
        stride,
        down.address,
        2047,
        out.address,
        factors.address,
      );
      for (let j = 0; j < n; j++) {
        const column = Array.from({ length: rows }, (_, r) =>
          Math.fround(x.values[r * stride + j] * down.values[r]),
        );
        expectCodes(
          out.values.subarray(j * evenOf(rows), (j + 1) * evenOf(rows)),
          factors.values[j],
          column,
          2047,
        );
      }
      guarded.expectGuardsIntact();
    }
  });

  test('round float32 to int8 by one scale, ties to the even code, within -127 .. 127, and find the largest absolute value', () => {
    for (const n of [1, 7, 16, 17, 100]) {
      guarded.reset();
      const x = block('f32', [0.5, -1.5, 2.5, 200, -200, ...numbers(n).floats(n, 150)].slice(0, n));
      const out = block('i8', n);
      kernels.quantizeI8(x.address, n, 1, out.address);
      for (const [i, value] of x.values.entries()) {
        expect(Math.abs(out.values[i] - Math.max(-127, Math.min(127, value)))).toBeLessThanOrEqual(
          0.5,
        );
        if (i < 5) expect(out.values[i]).toBe([0, -2, 2, 127, -127][i]);
      }
      expect(kernels.largestAbs(x.address, n)).toBe(Math.max(...x.values.map(Math.abs)));
      guarded.expectGuardsIntact();
    }
  });

  test('multiply codes of both sides, the largest included, exactly up to one rounding for each 512 dimensions', () => {
    for (const [m, n, k] of [
      [1, 1, 2],
      [2, 16, 128],
      [3, 17, 512],
      [5, 33, 514],
      [64, 20, 2048],
    ]) {
      // prettier-ignore
      for (const across of [false, true]) {
        guarded.reset();
        const draw = numbers(m * n + k);
        const a = block('i16', draw.integers(m * k, 2047));
        a.values.fill(-2047, 0, k);
        const b = block('i16', draw.integers(n * k, 2047));
        b.values.fill(-2047, 0, k);
        const panels = block('i16', wholePanels(n) * k);
        kernels.packLanesI16(b.address, n, k, panels.address);
        const down = block('f32', draw.floats(m));
        const columns = block('f32', draw.floats(wholePanels(n)));
        const c = block('f32', m * (n + 1));
        c.values.fill(7);
        kernels.gemmI16(
          m,
          n,
          k,
          a.address,
          down.address,
          panels.address,
          across ? columns.address : 0,
          c.address,
          n + 1,
        );
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            const sum = dot(
              a.values.subarray(i * k, (i + 1) * k),
              b.values.subarray(j * k, (j + 1) * k),
            );
            const factor = down.values[i] * (across ? columns.values[j] : 1);
            expect(Math.abs(c.values[i * (n + 1) + j] - sum * factor)).toBeLessThanOrEqual(
              2e-7 * 2047 * 2047 * k * Math.abs(factor),
            );
          }
          expect(c.values[i * (n + 1) + n]).toBe(7);
        }
        guarded.expectGuardsIntact();
      }
    }
  });

  test('make values of codes by a factor for the row and one for the column, shifted by the row, and touch nothing between the rows', () => {
    guarded.reset();
    const [rows, columns, stride] = [7, 5, 9];
    const x = block('f32', numbers(1).floats((rows - 1) * stride + columns));
    const before = x.values.slice();
    const [down, across] = [
      block('f32', numbers(2).floats(rows)),
      block('f32', numbers(3).floats(columns)),
    ];
    const shifts = block('f32', numbers(4).floats(rows));
    kernels.dequantise(
      x.address,
      rows,
      columns,
      stride,
      down.address,
      across.address,
      shifts.address,
    );
    x.values.forEach((value, i) => {
      const [r, c] = [Math.floor(i / stride), i % stride];
      expect(value).toBeCloseTo(
        c < columns ? before[i] * down.values[r] * across.values[c] + shifts.values[r] : before[i],
        6,
      );
    });
    guarded.expectGuardsIntact();
  });

  test.each(DIMS)(
    'find the largest float32 inner products with documents of 1, 2, 3 and 50 tokens in %d dimensions',
    (dim) => {
      for (const lanes of SIZES) {
        guarded.reset();
        const draw = numbers(dim * 1000 + lanes);
        const x = block('f32', draw.floats(lanes * dim));
        const tokens = block('f32', draw.floats(sum(COUNTS) * dim));
        const counts = block('i32', COUNTS);
        const panels = block('f32', wholePanels(lanes) * dim);
        kernels.packLanesF32(x.address, lanes, dim, panels.address);
        const stride = COUNTS.length + 3;
        const out = block('f32', (lanes - 1) * stride + COUNTS.length);
        out.values.fill(7);
        kernels.maxDotsF32(
          panels.address,
          lanes,
          dim,
          tokens.address,
          counts.address,
          COUNTS.length,
          out.address,
          stride,
        );
        const expected = naiveMaxDots(x.values, lanes, dim, tokens.values);
        expect(
          relativeError(rowsOf(out.values, lanes, COUNTS.length, stride).flat(), expected),
        ).toBeLessThan(TOLERANCE);
        out.values.forEach((value, i) => {
          if (i % stride >= COUNTS.length) expect(value).toBe(7);
        });
        guarded.expectGuardsIntact();
      }
    },
  );

  test.each(DIMS)('find the largest integer inner products exactly in %d dimensions', (dim) => {
    const even = dim + (dim % 2);
    for (const lanes of SIZES) {
      guarded.reset();
      const draw = numbers(dim * 1000 + lanes);
      const drawn = draw.integers(lanes * dim, 4095);
      const x = block(
        'i16',
        Array.from({ length: lanes * even }, (_, i) =>
          i % even < dim ? drawn[Math.floor(i / even) * dim + (i % even)] : 0,
        ),
      );
      const tokens = block('i8', draw.integers(sum(COUNTS) * dim, 127));
      const counts = block('i32', COUNTS);
      const panels = block('i16', wholePanels(lanes) * even);
      const wide = block('i16', sum(COUNTS) * even);
      kernels.packLanesI16(x.address, lanes, even, panels.address);
      kernels.widenI8(tokens.address, sum(COUNTS), dim, wide.address);
      const stride = COUNTS.length + 1;
      const out = block('f32', (lanes - 1) * stride + COUNTS.length);
      out.values.fill(7);
      kernels.maxDotsI16(
        panels.address,
        lanes,
        even,
        wide.address,
        counts.address,
        COUNTS.length,
        out.address,
        stride,
      );
      // sums are exact in int32; the result is their float32
      const expected = naiveMaxDots(drawn, lanes, dim, tokens.values).map(Math.fround);
      expect(rowsOf(out.values, lanes, COUNTS.length, stride).flat()).toEqual(expected);
      guarded.expectGuardsIntact();
    }
  });

  test('give the largest inner product when all are far below zero', () => {
    const lanes = 17;
    const panels = block('f32', wholePanels(lanes));
    const x = block('f32', new Array(lanes).fill(1e4));
    kernels.packLanesF32(x.address, lanes, 1, panels.address);
    const tokens = block('f32', [-3e4, -2e4, -5e4]);
    const counts = block('i32', [3]);
    const out = block('f32', lanes);
    kernels.maxDotsF32(panels.address, lanes, 1, tokens.address, counts.address, 1, out.address, 1);
    expect([...out.values]).toEqual(new Array(lanes).fill(-2e8));
  });

  const shapes = [
    ...SIZES.map((m) => [m, 17, 48]),
    ...SIZES.map((n) => [3, n, 257]),
    ...SIZES.map((k) => [17, 18, k]),
    ...DIMS.map((k) => [5, 33, k]),
    [64, 33, 512],
    [18, 257, 257],
  ];
  test.each(['neither', 'left', 'right', 'both'])(
    'multiply float32 matrices, transposed: %s',
    (transposed) => {
      for (const [m, n, k] of shapes) {
        for (const accumulate of [0, 1]) {
          guarded.reset();
          const draw = numbers(m * 7 + n * 11 + k);
          const a = block('f32', draw.floats(m * k));
          const b = block('f32', draw.floats(k * n));
          const cRow = n + 2;
          const before = withGaps(draw.floats((m - 1) * cRow + n), cRow, n);
          const c = block('f32', before);
          const scratch = block('f32', (m + 17) * 256);
          const [aRow, aCol] = transposed === 'left' || transposed === 'both' ? [1, m] : [k, 1];
          const [bRow, bCol] = transposed === 'right' || transposed === 'both' ? [1, k] : [n, 1];
          kernels.gemmF32(
            m,
            n,
            k,
            a.address,
            aRow,
            aCol,
            b.address,
            bRow,
            bCol,
            c.address,
            cRow,
            accumulate,
            scratch.address,
          );
          const expected = new Float64Array(before);
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let total = accumulate ? before[i * cRow + j] : 0;
              for (let l = 0; l < k; l++)
                total += a.values[i * aRow + l * aCol] * b.values[l * bRow + j * bCol];
              expected[i * cRow + j] = total;
            }
          }
          expect(relativeError(c.values, expected)).toBeLessThan(TOLERANCE);
          expectGapsIntact(c.values, cRow, n);
          guarded.expectGuardsIntact();
        }
      }
    },
  );

  test('add A^T B to a float64 matrix', () => {
    for (const [m, n, k] of [
      ...SIZES.map((m) => [m, 9, 130]),
      ...SIZES.map((n) => [3, n, 40]),
      ...SIZES.map((k) => [18, 10, k]),
    ]) {
      guarded.reset();
      const draw = numbers(m * 7 + n * 11 + k);
      const [aRow, bRow, cRow] = [m + 3, n + 1, n + 2];
      const a = block('f32', draw.floats((k - 1) * aRow + m));
      const b = block('f32', draw.floats((k - 1) * bRow + n));
      const before = withGaps(Float64Array.from(draw.floats((m - 1) * cRow + n)), cRow, n);
      const c = block('f64', before);
      const scratch = block('f64', (m + 9) * 128);
      kernels.outerF64(m, n, k, a.address, aRow, b.address, bRow, c.address, cRow, scratch.address);
      const expected = before.slice();
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++)
          for (let l = 0; l < k; l++)
            expected[i * cRow + j] += a.values[l * aRow + i] * b.values[l * bRow + j];
      }
      expect(relativeError(c.values, expected)).toBeLessThan(1e-14);
      expectGapsIntact(c.values, cRow, n);
      guarded.expectGuardsIntact();
    }
  });

  test('add float32 to float64', () => {
    for (const n of SIZES) {
      guarded.reset();
      const draw = numbers(n);
      const before = Float64Array.from(draw.floats(n), (value) => value / 3);
      const c = block('f64', before);
      const x = block('f32', draw.floats(n));
      kernels.addToF64(c.address, x.address, n);
      c.values.forEach((value, i) => {
        expect(value).toBe(before[i] + x.values[i]);
      });
      guarded.expectGuardsIntact();
    }
  });

  test('factor a positive definite matrix, and solve with the factor for 16 right-hand sides', () => {
    for (const n of SIZES) {
      guarded.reset();
      const draw = numbers(n);
      const basis = rowsOf(draw.floats(n * (n + 5)), n, n + 5);
      const matrix = basis.map((x) => basis.map((y) => dot(x, y)));
      const a = block('f64', matrix.flat());
      const smallest = kernels.choleskyF64(a.address, n);
      const l = rowsOf(a.values, n, n).map((row, i) => row.map((v, j) => (j <= i ? v : 0)));
      const product = l.map((x) => l.map((y) => dot(x, y)));
      expect(relativeError(product.flat(), matrix.flat())).toBeLessThan(1e-13);
      // a pivot is the square of the factor's diagonal
      expect(smallest).toBeCloseTo(Math.min(...l.map((row, i) => row[i] ** 2 / matrix[i][i])), 10);

      const xRow = 19;
      const right = Float64Array.from(draw.floats((n - 1) * xRow + 16));
      const x = block('f64', right);
      kernels.choleskySolve16(a.address, n, x.address, xRow);
      const solution = rowsOf(x.values, n, 16, xRow);
      const back = matrix.map((row) =>
        Array.from({ length: 16 }, (_, lane) => sum(row.map((v, j) => v * solution[j][lane]))),
      );
      expect(relativeError(back.flat(), rowsOf(right, n, 16, xRow).flat())).toBeLessThan(1e-9);
      x.values.forEach((value, i) => {
        if (i % xRow >= 16) expect(value).toBe(right[i]);
      });
      guarded.expectGuardsIntact();
    }
  });

  test('say so when a matrix has no factor', () => {
    const indefinite = block('f64', [1, 0, 0, 2, 1, 0, 0, 0, 1]);
    expect(kernels.choleskyF64(indefinite.address, 3)).toBeLessThanOrEqual(0);
    const zero = block('f64', [0, 0, 0, 0]);
    expect(kernels.choleskyF64(zero.address, 2)).toBe(0);
    const singular = block('f64', [1, 0, 0, 1, 1, 0, 1, 1, 1]);
    expect(kernels.choleskyF64(singular.address, 3)).toBeLessThan(1e-12);
  });

  test('multiply value by value', () => {
    for (const n of SIZES) {
      guarded.reset();
      const [x, y] = [block('f32', numbers(n).floats(n)), block('f32', numbers(n + 1).floats(n))];
      const expected = Array.from(x.values, (v, i) => Math.fround(v * y.values[i]));
      kernels.multiply(x.address, y.address, n);
      expect([...x.values]).toEqual(expected);
      guarded.expectGuardsIntact();
    }
  });

  describe.each(ACTIVATIONS)('%s', (activation) => {
    const kind = ACTIVATIONS.indexOf(activation);
    const f = formulas[activation];
    const whole = (n: number): number => Math.ceil(n / 4) * 4;
    const slope = (x: number): number => {
      if (activation === 'relu') return x > 0 ? 1 : 0;
      return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
    };

    test('is its formula', () => {
      for (const n of SIZES) {
        guarded.reset();
        const x = block('f32', numbers(n).floats(whole(n), 6));
        const out = block('f32', whole(n));
        kernels.activation(kind, x.address, n, out.address, 0);
        expect(
          relativeError(out.values.subarray(0, n), Array.from(x.values.subarray(0, n), f)),
        ).toBeLessThan(TOLERANCE);
        guarded.expectGuardsIntact();
      }
    });

    test('may overwrite its input', () => {
      const values = numbers(5).floats(32, 3);
      const x = block('f32', values);
      kernels.activation(kind, x.address, 32, x.address, 0);
      expect(relativeError(x.values, Array.from(values, f))).toBeLessThan(TOLERANCE);
      const again = block('f32', values);
      const out = block('f32', 32);
      kernels.activation(kind, again.address, 32, out.address, again.address);
      expect(relativeError(out.values, Array.from(values, f))).toBeLessThan(TOLERANCE);
      expect(relativeError(again.values, Array.from(values, slope))).toBeLessThan(1e-5);
    });

    test('has the slope of its formula', () => {
      for (const n of SIZES) {
        guarded.reset();
        const draw = numbers(n);
        const x = block('f32', draw.floats(whole(n), 6));
        const [out, slopes] = [block('f32', whole(n)), block('f32', whole(n))];
        kernels.activation(kind, x.address, n, out.address, slopes.address);
        expect(
          relativeError(out.values.subarray(0, n), Array.from(x.values.subarray(0, n), f)),
        ).toBeLessThan(TOLERANCE);
        expect(
          relativeError(slopes.values.subarray(0, n), Array.from(x.values.subarray(0, n), slope)),
        ).toBeLessThan(1e-5);
        guarded.expectGuardsIntact();
      }
    });

    test('is right and finite far out, at zero and for denormals', () => {
      const far = Array.from({ length: 401 }, (_, i) => (i - 200) / 2);
      const extreme = [
        ...far,
        0,
        -0,
        1e-40,
        -1e-40,
        1e-45,
        -1e-45,
        1e-20,
        -1e-20,
        88.8,
        -88.8,
        103.9,
        -103.9,
      ];
      const x = block('f32', new Float32Array(whole(extreme.length)));
      x.values.set(extreme);
      const out = block('f32', x.values.length);
      const slopes = block('f32', x.values.length);
      kernels.activation(kind, x.address, extreme.length, out.address, slopes.address);
      extreme.forEach((v, i) => {
        expect(Math.abs(out.values[i] - f(v)), `value at ${v}`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(v)),
        );
        expect(Math.abs(slopes.values[i] - slope(v)), `slope at ${v}`).toBeLessThan(2e-6);
      });
    });
  });

  const normalised = (
    row: readonly number[],
    eps: number,
  ): { values: number[]; inverse: number } => {
    const mean = sum([...row]) / row.length;
    const variance = sum(row.map((v) => (v - mean) ** 2)) / row.length;
    const inverse = 1 / Math.sqrt(variance + eps);
    return { values: row.map((v) => (v - mean) * inverse), inverse };
  };

  test('normalise rows, with and without gain and shift', () => {
    for (const n of [...DIMS, 255, 256, 257]) {
      for (const rows of [1, 3, 17]) {
        guarded.reset();
        const draw = numbers(n + rows);
        const x = block('f32', draw.floats(rows * n, 3));
        const gamma = block('f32', draw.floats(n));
        const beta = block('f32', draw.floats(n));
        const [normal, out] = [block('f32', rows * n), block('f32', rows * n)];
        const inverse = block('f32', rows);
        out.values.fill(7);
        const naive = rowsOf(x.values, rows, n).map((row) => normalised(row, 1e-5));
        kernels.layerNorm(
          x.address,
          rows,
          n,
          1e-5,
          0,
          0,
          normal.address,
          inverse.address,
          out.address,
        );
        expect(
          relativeError(
            normal.values,
            naive.flatMap((row) => row.values),
          ),
        ).toBeLessThan(TOLERANCE);
        expect(
          relativeError(
            inverse.values,
            naive.map((row) => row.inverse),
          ),
        ).toBeLessThan(TOLERANCE);
        expect(out.values.every((value) => value === 7)).toBe(true);

        kernels.layerNorm(
          x.address,
          rows,
          n,
          1e-5,
          gamma.address,
          beta.address,
          x.address,
          inverse.address,
          out.address,
        );
        const expected = naive.flatMap((row) =>
          row.values.map((v, j) => v * gamma.values[j] + beta.values[j]),
        );
        expect(relativeError(out.values, expected)).toBeLessThan(TOLERANCE);
        expect(
          relativeError(
            x.values,
            naive.flatMap((row) => row.values),
          ),
        ).toBeLessThan(TOLERANCE);
        guarded.expectGuardsIntact();
      }
    }
  });

  test('normalise a constant row to zeros', () => {
    const x = block('f32', new Float32Array(48).fill(0.3));
    const [normal, inverse] = [block('f32', 48), block('f32', 1)];
    kernels.layerNorm(
      x.address,
      1,
      48,
      1e-5,
      0,
      0,
      normal.address,
      inverse.address,
      normal.address,
    );
    for (const value of normal.values) expect(Math.abs(value)).toBeLessThan(1e-4);
  });

  test('take the gradient through the normalisation', () => {
    for (const n of [...DIMS, 17]) {
      const rows = 3;
      guarded.reset();
      const draw = numbers(n);
      const x = rowsOf(draw.floats(rows * n), rows, n);
      const gamma = block('f32', draw.floats(n));
      const dOut = block('f32', draw.floats(rows * n));
      const naive = x.map((row) => normalised(row, 1e-5));
      const normal = block(
        'f32',
        naive.flatMap((row) => row.values),
      );
      const inverse = block(
        'f32',
        naive.map((row) => row.inverse),
      );
      // central differences of sum(dOut * gamma * normalised(x))
      const expected = x.flatMap((row, r) => {
        const weights = Array.from(gamma.values, (g, j) => g * dOut.values[r * n + j]);
        const loss = (moved: number[]): number => dot(weights, normalised(moved, 1e-5).values);
        return row.map(
          (v, j) => (loss(row.with(j, v + 1e-5)) - loss(row.with(j, v - 1e-5))) / 2e-5,
        );
      });
      const dx = block('f32', rows * n);
      kernels.layerNormBackward(
        dOut.address,
        rows,
        n,
        gamma.address,
        normal.address,
        inverse.address,
        dx.address,
      );
      expect(relativeError(dx.values, expected)).toBeLessThan(1e-5);
      kernels.layerNormBackward(
        dOut.address,
        rows,
        n,
        gamma.address,
        normal.address,
        inverse.address,
        dOut.address,
      );
      expect(dOut.values).toEqual(dx.values);
      guarded.expectGuardsIntact();
    }
  });

  test('sum rows and products of rows, add a bias, standardise', () => {
    for (const n of [...SIZES, 48]) {
      for (const rows of [1, 2, 3, 50, 257]) {
        guarded.reset();
        const draw = numbers(n * 300 + rows);
        const stride = n + 3;
        const x = block('f32', draw.floats((rows - 1) * stride + n));
        const y = block('f32', draw.floats(x.values.length));
        const before = draw.floats(n);
        const out = block('f32', before);
        const column = (j: number, value: (at: number) => number): number =>
          sum(Array.from({ length: rows }, (_, r) => value(r * stride + j)));
        kernels.sumRows(x.address, rows, n, stride, 1, out.address);
        const sums = Array.from({ length: n }, (_, j) => column(j, (at) => x.values[at]));
        expect(
          relativeError(
            out.values,
            sums.map((v, j) => v + before[j]),
          ),
        ).toBeLessThan(1e-5);
        kernels.sumRows(x.address, rows, n, stride, 0, out.address);
        expect(relativeError(out.values, sums)).toBeLessThan(1e-5);
        kernels.sumProducts(x.address, y.address, rows, n, stride, out.address);
        const products = Array.from({ length: n }, (_, j) =>
          column(j, (at) => x.values[at] * y.values[at]),
        );
        expect(relativeError(out.values, products)).toBeLessThan(1e-5);

        const dense = block('f32', draw.floats(rows * n));
        const bias = block('f32', before);
        const biased = Array.from(dense.values, (v, i) => v + before[i % n]);
        kernels.addBias(dense.address, rows, n, bias.address);
        expect(relativeError(dense.values, biased)).toBeLessThan(TOLERANCE);
        const shifted = Array.from(dense.values, (v) => (v - 0.4) * 5.1);
        kernels.standardise(dense.address, rows * n, 0.4, 5.1);
        expect(relativeError(dense.values, shifted)).toBeLessThan(TOLERANCE);
        guarded.expectGuardsIntact();
      }
    }
  });

  test('sum squares and squared errors, whose gradients take the place of the predictions', () => {
    for (const n of [...SIZES, 1023]) {
      guarded.reset();
      const draw = numbers(n);
      const prediction = block('f32', draw.floats(n));
      const target = block('f32', draw.floats(n));
      expect(
        relativeError([kernels.sumSquares(target.address, n)], [dot(target.values, target.values)]),
      ).toBeLessThan(1e-12);
      const difference = Array.from(prediction.values, (p, i) => p - target.values[i]);
      const total = kernels.squaredError(prediction.address, target.address, n, 0.01);
      expect(relativeError([total], [dot(difference, difference)])).toBeLessThan(TOLERANCE);
      expect(
        relativeError(
          prediction.values,
          difference.map((d) => d * 0.01),
        ),
      ).toBeLessThan(TOLERANCE);
      guarded.expectGuardsIntact();
    }
  });

  test('take steps of Adam', () => {
    for (const n of SIZES) {
      guarded.reset();
      const draw = numbers(n);
      const p = block('f32', draw.floats(n));
      const [m, v] = [block('f32', n), block('f32', n)];
      const g = block('f32', n);
      const [beta1, beta2, eps, lr, gradScale] = [0.9, 0.999, 1e-8, 3e-3, 0.7];
      const expected = {
        p: Float64Array.from(p.values),
        m: new Float64Array(n),
        v: new Float64Array(n),
      };
      for (let step = 1; step <= 5; step++) {
        g.values.set(draw.floats(n));
        kernels.adam(
          p.address,
          g.address,
          m.address,
          v.address,
          n,
          gradScale,
          lr / (1 - beta1 ** step),
          beta1,
          beta2,
          Math.sqrt(1 - beta2 ** step),
          eps,
        );
        for (let i = 0; i < n; i++) {
          const grad = g.values[i] * gradScale;
          expected.m[i] = beta1 * expected.m[i] + (1 - beta1) * grad;
          expected.v[i] = beta2 * expected.v[i] + (1 - beta2) * grad * grad;
          const [mean, square] = [
            expected.m[i] / (1 - beta1 ** step),
            expected.v[i] / (1 - beta2 ** step),
          ];
          expected.p[i] -= (lr * mean) / (Math.sqrt(square) + eps);
        }
      }
      expect(relativeError(p.values, expected.p)).toBeLessThan(TOLERANCE);
      expect(relativeError(m.values, expected.m)).toBeLessThan(TOLERANCE);
      // 1 - beta2 is a small difference, taken in float32 by the fast kernels
      expect(relativeError(v.values, expected.v)).toBeLessThan(2e-5);
      guarded.expectGuardsIntact();
    }
  });

  test('scan rows for one query, int8 exactly', () => {
    for (const dim of [...DIMS, ...SIZES]) {
      for (const count of [1, 17]) {
        guarded.reset();
        const draw = numbers(dim * 20 + count);
        const q = block('f32', draw.floats(dim));
        const rows = block('f32', draw.floats(count * dim));
        const out = block('f32', count);
        kernels.scanF32(q.address, rows.address, count, dim, out.address);
        expect(
          relativeError(
            out.values,
            rowsOf(rows.values, count, dim).map((row) => dot(row, q.values)),
          ),
        ).toBeLessThan(1e-5);

        const q16 = block('i16', draw.integers(dim, 4095));
        const rows8 = block('i8', draw.integers(count * dim, 127));
        const dots = block('f32', count);
        kernels.scanI8(q16.address, rows8.address, count, dim, dots.address);
        expect([...dots.values]).toEqual(
          rowsOf(rows8.values, count, dim).map((row) => Math.fround(dot(row, q16.values))),
        );
        guarded.expectGuardsIntact();
      }
    }
  });
});

/** Puts -0 between the rows: even adding 0 to it would show. */
function withGaps<T extends Float32Array | Float64Array>(values: T, stride: number, n: number): T {
  for (let i = 0; i < values.length; i++) if (i % stride >= n) values[i] = -0;
  return values;
}

function expectGapsIntact(values: Float32Array | Float64Array, stride: number, n: number): void {
  expect(values.every((value, i) => i % stride < n || Object.is(value, -0))).toBe(true);
}

function naiveMaxDots(
  x: ArrayLike<number>,
  lanes: number,
  dim: number,
  tokens: ArrayLike<number>,
): number[] {
  const out: number[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    let token = 0;
    for (const count of COUNTS) {
      let best = -Infinity;
      for (const end = token + count; token < end; token++) {
        let product = 0;
        for (let k = 0; k < dim; k++) product += x[lane * dim + k] * tokens[token * dim + k];
        best = Math.max(best, product);
      }
      out.push(best);
    }
  }
  return out;
}
