import { storeSums, sums2x16 } from './product-tiles';

// Codes of at most 2047 in size: the sum of 512 products fits int32.
const DEPTH: i32 = 512;

// C (m x n float32) = A B of codes: A m rows of `k` int16, B in panels of pairs (see packPairsI16),
// k even; an element is the exact sum of a chunk's products times aFactors[i] * bFactors[j], chunks
// of 512 dimensions added in order. bFactors may be 0: all one. `sums`: 128 bytes of scratch.
//
// A tile goes to C as int32 where it is all of its values, and is scaled there; to `sums` where
// there is more to do.
export function gemmI16(
  m: i32, n: i32, k: i32,
  a: usize, aFactors: usize,
  panels: usize, bFactors: usize,
  c: usize, cRow: i32,
  sums: usize,
): void {
  const rowBytes = (<usize>k) << 1;
  const cBytes = (<usize>cRow) << 2;
  for (let from = 0; from < k; from += DEPTH) {
    const depth = (<usize>min(DEPTH, k - from)) << 1;
    const add = from > 0;
    for (let j = 0; j < n; j += 16) {
      const used = min(16, n - j);
      const whole = used == 16 && !add;
      const panel = panels + <usize>j * rowBytes + ((<usize>from) << 5);
      const columns = bFactors ? bFactors + ((<usize>j) << 2) : 0;
      let factors = aFactors;
      let row = a + ((<usize>from) << 1);
      let tile = c + ((<usize>j) << 2);
      for (let i = 0; i < m; i += 2) {
        // a missing last row is the one before it again
        const both = i + 1 < m;
        const other = both ? row + rowBytes : row;
        const first = whole ? tile : sums;
        const second = whole && both ? tile + cBytes : sums + 64;
        sums2x16<i16>(row, other, row + depth, 4, panel, first, second);
        scaleSums(first, factors, columns);
        if (both) scaleSums(second, factors + 4, columns);
        if (!whole) {
          storeSums(sums, tile, used, add);
          if (both) storeSums(sums + 64, tile + cBytes, used, add);
        }
        factors += 8;
        row += rowBytes << 1;
        tile += cBytes << 1;
      }
    }
  }
}

// 16 int32 sums to float32, times their factors.
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
