import { storePart, storeRow } from './gemm';

// Codes of at most 2047 in size: the sum of 512 products fits int32.
const DEPTH: i32 = 512;

// C (m x n float32) = A B of codes: A m rows of `k` int16, B in panels of pairs (see packPairsI16),
// k even; an element is the exact sum of a chunk's products times aFactors[i] * bFactors[j], chunks
// of 512 dimensions added in order. bFactors may be 0: all one.
export function gemmI16(
  m: i32, n: i32, k: i32,
  a: usize, aFactors: usize,
  panels: usize, bFactors: usize,
  c: usize, cRow: i32,
): void {
  const rowBytes = (<usize>k) << 1;
  const cBytes = (<usize>cRow) << 2;
  for (let from = 0; from < k; from += DEPTH) {
    const depth = min(DEPTH, k - from);
    const add = from > 0;
    for (let j = 0; j < n; j += 16) {
      const used = min(16, n - j);
      const panel = panels + <usize>j * rowBytes + ((<usize>from) << 5);
      let row = a + ((<usize>from) << 1);
      let tile = c + ((<usize>j) << 2);
      for (let i = 0; i < m; i += 2) {
        // a missing last row is the one before it again, and not stored
        const other = i + 1 < m ? rowBytes : 0;
        tile2x16(
          row,
          row + other,
          panel,
          depth,
          aFactors + ((<usize>i) << 2),
          other ? 4 : 0,
          bFactors ? bFactors + ((<usize>j) << 2) : 0,
          tile,
          cBytes,
          used,
          other != 0,
          add,
        );
        row += rowBytes << 1;
        tile += cBytes << 1;
      }
    }
  }
}

function tile2x16(
  a: usize,
  b: usize,
  panel: usize,
  depth: i32,
  factors: usize,
  second: usize,
  columns: usize,
  c: usize,
  cBytes: usize,
  used: i32,
  both: bool,
  add: bool,
): void {
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  const end = a + ((<usize>depth) << 1);
  while (a < end) {
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    const p0 = v128.load(panel);
    const p1 = v128.load(panel, 16);
    const p2 = v128.load(panel, 32);
    const p3 = v128.load(panel, 48);
    s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, p0));
    s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, p1));
    s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, p2));
    s03 = i32x4.add(s03, i32x4.dot_i16x8_s(x, p3));
    s10 = i32x4.add(s10, i32x4.dot_i16x8_s(y, p0));
    s11 = i32x4.add(s11, i32x4.dot_i16x8_s(y, p1));
    s12 = i32x4.add(s12, i32x4.dot_i16x8_s(y, p2));
    s13 = i32x4.add(s13, i32x4.dot_i16x8_s(y, p3));
    a += 4;
    b += 4;
    panel += 64;
  }
  let w0 = f32x4.splat(1);
  let w1 = w0;
  let w2 = w0;
  let w3 = w0;
  if (columns) {
    w0 = v128.load(columns);
    w1 = v128.load(columns, 16);
    w2 = v128.load(columns, 32);
    w3 = v128.load(columns, 48);
  }
  const f = v128.load32_splat(factors);
  const r0 = f32x4.mul(f32x4.convert_i32x4_s(s00), f32x4.mul(f, w0));
  const r1 = f32x4.mul(f32x4.convert_i32x4_s(s01), f32x4.mul(f, w1));
  const r2 = f32x4.mul(f32x4.convert_i32x4_s(s02), f32x4.mul(f, w2));
  const r3 = f32x4.mul(f32x4.convert_i32x4_s(s03), f32x4.mul(f, w3));
  if (used == 16) storeRow(c, add, r0, r1, r2, r3);
  else storePart(c, used, add, r0, r1, r2, r3);
  if (!both) return;
  const g = v128.load32_splat(factors + second);
  const q0 = f32x4.mul(f32x4.convert_i32x4_s(s10), f32x4.mul(g, w0));
  const q1 = f32x4.mul(f32x4.convert_i32x4_s(s11), f32x4.mul(g, w1));
  const q2 = f32x4.mul(f32x4.convert_i32x4_s(s12), f32x4.mul(g, w2));
  const q3 = f32x4.mul(f32x4.convert_i32x4_s(s13), f32x4.mul(g, w3));
  if (used == 16) storeRow(c + cBytes, add, q0, q1, q2, q3);
  else storePart(c + cBytes, used, add, q0, q1, q2, q3);
}
