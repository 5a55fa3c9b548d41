import { type Kernels, packedLanes, wholePanels } from '../kernels.js';
import { type Argument, type Block, type Draw, given, room, scratch } from './blocks.js';

/** Calls of a kernel that go through its main loops and their ends. */
export type Calls = (draw: Draw) => readonly (readonly Argument[])[];

/** Query lanes: panels of 4, 8 and 16, whole and not. */
const LANES = [3, 5, 16, 26];
/** Tokens of the documents of a call. */
const COUNTS = [1, 2, 3, 9, 18];
const TOKENS = 33;

const even = (n: number): number => n + (n & 1);
const counts = (): Block => given('i32', COUNTS);

/** Sizes m, n, k of matrix products. */
const PRODUCTS = [
  [1, 1, 2],
  [3, 17, 34],
  [18, 33, 64],
  [5, 65, 258],
];

/** Largest products, matrix products and scans, and how their operands are laid out. */
export const productCalls: Record<
  | 'packLanesF32'
  | 'packLanesI16'
  | 'packPanelsI16'
  | 'packPairsI16'
  | 'widenI8'
  | 'maxDotsF32'
  | 'maxDotsI16'
  | 'nearDotsI16'
  | 'maxDotsScaledI16'
  | 'unpackLevels'
  | 'rotateRows'
  | 'gemmF32'
  | 'gemmI16'
  | 'scanF32'
  | 'scanI8',
  Calls
> = {
  packLanesF32: (draw) =>
    LANES.map((rows) => [draw.f32(rows * 48), rows, 48, room('f32', packedLanes(rows) * 48)]),
  packLanesI16: (draw) =>
    LANES.map((rows) => [draw.i16(rows * 48, 4095), rows, 48, room('i16', packedLanes(rows) * 48)]),
  packPanelsI16: (draw) =>
    LANES.map((rows) => [draw.i16(rows * 48, 4095), rows, 48, room('i16', wholePanels(rows) * 48)]),
  packPairsI16: (draw) =>
    [1, 7, 16].map((rows) => {
      const [n, height] = [33, even(rows) + 4];
      const x = draw.i16(rows * even(n), 2047);
      return [x, rows, n, room('i16', wholePanels(n) * height), height];
    }),
  widenI8: (draw) =>
    [7, 48, 128].map((dim) => [draw.i8(5 * dim), 5, dim, room('i16', 5 * even(dim))]),
  maxDotsF32: (draw) =>
    LANES.flatMap((lanes) =>
      [7, 128].map((dim) => [
        draw.f32(packedLanes(lanes) * dim),
        lanes,
        dim,
        draw.f32(TOKENS * dim),
        counts(),
        COUNTS.length,
        room('f32', lanes * 6),
        6,
        scratch('f32', 16),
      ]),
    ),
  maxDotsI16: (draw) =>
    LANES.flatMap((lanes) =>
      [48, 128].map((dim) => [
        draw.i16(packedLanes(lanes) * dim, 4095),
        lanes,
        dim,
        draw.i16(TOKENS * dim, 127),
        counts(),
        COUNTS.length,
        room('f32', lanes * 6),
        6,
        scratch('f32', 16),
      ]),
    ),
  maxDotsScaledI16: (draw) =>
    LANES.flatMap((lanes) =>
      [48, 128].map((dim) => [
        draw.i16(packedLanes(lanes) * dim, 4095),
        lanes,
        dim,
        draw.i16(TOKENS * dim, 127),
        draw.f32(TOKENS),
        counts(),
        COUNTS.length,
        room('f32', lanes * 6),
        6,
        scratch('f32', 16),
      ]),
    ),
  unpackLevels: (draw) =>
    [2, 4].flatMap((bits) =>
      [12, 24, 64].map((bytes) => {
        const [rows, levels] = [draw.i8(5 * (2 + bytes)), draw.i8(16)];
        // finite scales
        for (let at = 1; at < rows.values.length; at += 2 + bytes) rows.values[at] = 0x3f;
        const out = room('i16', (5 * bytes * 8) / bits);
        return [rows, 5, bytes, bits, levels, out, room('f32', 5)];
      }),
    ),
  rotateRows: (draw) =>
    [7, 48, 128].map((dim) => {
      const out = room('f32', 5 * (dim + 3));
      return [draw.f32(5 * dim), 5, dim, draw.f32(3 * dim), 3, out, dim + 3];
    }),
  nearDotsI16: (draw) =>
    LANES.flatMap((lanes) =>
      [48, 128].map((dim) => [
        draw.i16(wholePanels(lanes) * dim, 4095),
        lanes,
        draw.i16(16 * dim, 4095),
        dim,
        draw.i16(TOKENS * dim, 127),
        counts(),
        given('i32', [3, 3, 3, 3, 3]),
        COUNTS.length,
        room('f32', lanes * 6),
        6,
        scratch('i32', 32 + 17 * 19),
      ]),
    ),
  gemmF32: (draw) =>
    PRODUCTS.flatMap(([m, n, k]) =>
      [
        { left: [k, 1], right: [n, 1], accumulate: 0 },
        { left: [1, m], right: [1, k], accumulate: 1 },
      ].map(({ left, right, accumulate }) => {
        const [a, b, c] = [draw.f32(m * k), draw.f32(k * n), draw.f32(m * (n + 2))];
        const free = scratch('f32', (m + 18) * 256);
        return [m, n, k, a, ...left, b, ...right, c, n + 2, accumulate, free];
      }),
    ),
  gemmI16: (draw) =>
    PRODUCTS.flatMap(([m, n, k]) =>
      [true, false].map((isScaled) => {
        const panels = draw.i16(wholePanels(n) * k, 2047);
        const columns = isScaled ? draw.f32(wholePanels(n)) : 0;
        const a = draw.i16(m * k, 2047);
        const [c, sums] = [room('f32', m * (n + 1)), scratch('i32', 32)];
        return [m, n, k, a, draw.f32(m), panels, columns, c, n + 1, sums];
      }),
    ),
  scanF32: (draw) =>
    [7, 48, 256].map((dim) => [draw.f32(dim), draw.f32(17 * dim), 17, dim, room('f32', 17)]),
  scanI8: (draw) =>
    [7, 48, 256].map((dim) => [draw.i16(dim, 4095), draw.i8(17 * dim), 17, dim, room('f32', 17)]),
};

/** The other kernels are not among them. */
export type ProductKernel = keyof typeof productCalls & keyof Kernels;
