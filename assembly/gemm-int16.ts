// Codes of at most 2047 in size: the sum of 512 products fits int32.
const DEPTH: i32 = 512;

// C (m x n float32) = A B of codes: A m rows of `k` int16, B in panels of pairs (see packPairsI16),
// k even; an element is the exact sum of a chunk's products times aFactors[i] * bFactors[j], chunks
// of 512 dimensions added in order. bFactors may be 0: all one.
//
// A whole tile of the first chunk goes to C as int32, by nothing but adjacent stores, from which V8
// can merge pairs of registers to 256 bits, and is scaled there.
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
      const columns = bFactors ? bFactors + ((<usize>j) << 2) : 0;
      let factors = aFactors;
      let row = a + ((<usize>from) << 1);
      let tile = c + ((<usize>j) << 2);
      for (let i = 0; i < m; i += 2) {
        // a missing last row is the one before it again
        const both = i + 1 < m;
        const other = both ? row + rowBytes : row;
        if (both && used == 16 && !add) {
          tile2x16(row, other, panel, depth, tile, tile + cBytes);
          scaleSums(tile, factors, columns);
          scaleSums(tile + cBytes, factors + 4, columns);
        } else {
          part2x16(row, other, panel, depth, factors, columns, tile, both ? cBytes : 0, used, add);
        }
        factors += 8;
        row += rowBytes << 1;
        tile += cBytes << 1;
      }
    }
  }
}

function tile2x16(a: usize, b: usize, panel: usize, depth: i32, c: usize, d: usize): void {
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
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s02, 32);
  v128.store(c, s03, 48);
  v128.store(d, s10);
  v128.store(d, s11, 16);
  v128.store(d, s12, 32);
  v128.store(d, s13, 48);
}

// Sums in a row of C times their factors.
// @ts-expect-error: decorator
@inline
function scaleSums(c: usize, factor: usize, columns: usize): void {
  const f = v128.load32_splat(factor);
  let w0 = f;
  let w1 = f;
  let w2 = f;
  let w3 = f;
  if (columns) {
    w0 = f32x4.mul(f, v128.load(columns));
    w1 = f32x4.mul(f, v128.load(columns, 16));
    w2 = f32x4.mul(f, v128.load(columns, 32));
    w3 = f32x4.mul(f, v128.load(columns, 48));
  }
  v128.store(c, f32x4.mul(f32x4.convert_i32x4_s(v128.load(c)), w0));
  v128.store(c, f32x4.mul(f32x4.convert_i32x4_s(v128.load(c, 16)), w1), 16);
  v128.store(c, f32x4.mul(f32x4.convert_i32x4_s(v128.load(c, 32)), w2), 32);
  v128.store(c, f32x4.mul(f32x4.convert_i32x4_s(v128.load(c, 48)), w3), 48);
}

// A tile whose products are added to C, or of which only `used` columns are wanted, or one row
// (cBytes 0).
function part2x16(
  a: usize,
  b: usize,
  panel: usize,
  depth: i32,
  factors: usize,
  columns: usize,
  c: usize,
  cBytes: usize,
  used: i32,
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
  if (!cBytes) return;
  const g = v128.load32_splat(factors, 4);
  const q0 = f32x4.mul(f32x4.convert_i32x4_s(s10), f32x4.mul(g, w0));
  const q1 = f32x4.mul(f32x4.convert_i32x4_s(s11), f32x4.mul(g, w1));
  const q2 = f32x4.mul(f32x4.convert_i32x4_s(s12), f32x4.mul(g, w2));
  const q3 = f32x4.mul(f32x4.convert_i32x4_s(s13), f32x4.mul(g, w3));
  if (used == 16) storeRow(c + cBytes, add, q0, q1, q2, q3);
  else storePart(c + cBytes, used, add, q0, q1, q2, q3);
}

// @ts-expect-error: decorator
@inline
function storeRow(c: usize, add: bool, s0: v128, s1: v128, s2: v128, s3: v128): void {
  if (add) {
    s0 = f32x4.add(v128.load(c), s0);
    s1 = f32x4.add(v128.load(c, 16), s1);
    s2 = f32x4.add(v128.load(c, 32), s2);
    s3 = f32x4.add(v128.load(c, 48), s3);
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

function storePart(
  c: usize,
  used: i32,
  add: bool,
  s0: v128,
  s1: v128,
  s2: v128,
  s3: v128,
): void {
  for (let j = 0; j < used; j++) {
    const s = j < 4 ? s0 : j < 8 ? s1 : j < 12 ? s2 : s3;
    const lane = j & 3;
    let value: f32 = 0;
    if (lane == 0) value = f32x4.extract_lane(s, 0);
    else if (lane == 1) value = f32x4.extract_lane(s, 1);
    else if (lane == 2) value = f32x4.extract_lane(s, 2);
    else value = f32x4.extract_lane(s, 3);
    store<f32>(c, add ? load<f32>(c) + value : value);
    c += 4;
  }
}
