import { panelWidth } from './pack';

// Largest inner product of each of many vectors ("lanes") with the tokens of each document: out[x *
// outStride + d] = max over tokens t of document d of <lane x, t>. No score matrix is written.
//
// Lanes come packed in panels of 16, 8 or 4 (see pack.ts). 2 tokens x 16 lanes, 4 x 8 or 4 x 4 stay
// in registers; a panel stays in the first-level cache while the tokens stream by. A product is
// summed in the order of the dimensions in all of them, so it does not depend on the other lanes.
// Maxima go through `best`, 64 bytes of scratch, by adjacent stores, from which V8 can merge pairs
// of registers to 256 bits.

export function maxDotsF32(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  maxDots<f32>(panels, lanes, (<usize>dim) << 2, tokens, counts, documents, out, outStride, best);
}

// The same for int8 tokens, widened to int16 rows of `dim` values, dim even. Lanes are int16 pairs
// (see packLanesI16); one dot_i16x8_s multiplies a pair of dimensions of four lanes. Sums are exact
// in int32, then float32.
export function maxDotsI16(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  maxDots<i16>(panels, lanes, (<usize>dim) << 1, tokens, counts, documents, out, outStride, best);
}

// @ts-expect-error: decorator
@inline
function maxDots<T>(
  panels: usize,
  lanes: i32,
  rowBytes: usize,
  tokens: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  const step = (<usize>outStride) << 2;
  const none = isFloat<T>() ? f32x4.splat(-Infinity) : i32x4.splat(i32.MIN_VALUE);
  while (lanes > 0) {
    const width = panelWidth(lanes);
    let token = tokens;
    for (let d = 0; d < documents; d++) {
      const end = token + <usize>load<i32>(counts + ((<usize>d) << 2)) * rowBytes;
      const last = end - rowBytes;
      v128.store(best, none);
      v128.store(best, none, 16);
      v128.store(best, none, 32);
      v128.store(best, none, 48);
      // in place of a missing token the last one again, which changes no maximum
      while (token < end) {
        const second = min(token + rowBytes, last);
        if (width == 16) {
          tile2x16<T>(token, second, panels, rowBytes, best);
          token += rowBytes << 1;
        } else {
          const third = min(second + rowBytes, last);
          const fourth = min(third + rowBytes, last);
          if (width == 8) tile4x8<T>(token, second, third, fourth, panels, rowBytes, best);
          else tile4x4<T>(token, second, third, fourth, panels, rowBytes, best);
          token += rowBytes << 2;
        }
      }
      token = end;
      storeLanes<T>(best, min(lanes, width), out + ((<usize>d) << 2), step);
    }
    panels += <usize>width * rowBytes;
    out += <usize>width * step;
    lanes -= width;
  }
}

function tile2x16<T>(
  a: usize,
  b: usize,
  panel: usize,
  rowBytes: usize,
  best: usize,
): void {
  const end = a + rowBytes;
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  while (a < end) {
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    const p0 = v128.load(panel);
    const p1 = v128.load(panel, 16);
    const p2 = v128.load(panel, 32);
    const p3 = v128.load(panel, 48);
    s00 = plus<T>(s00, x, p0);
    s01 = plus<T>(s01, x, p1);
    s02 = plus<T>(s02, x, p2);
    s03 = plus<T>(s03, x, p3);
    s10 = plus<T>(s10, y, p0);
    s11 = plus<T>(s11, y, p1);
    s12 = plus<T>(s12, y, p2);
    s13 = plus<T>(s13, y, p3);
    a += 4;
    b += 4;
    panel += 64;
  }
  const m0 = larger<T>(v128.load(best), larger<T>(s00, s10));
  const m1 = larger<T>(v128.load(best, 16), larger<T>(s01, s11));
  const m2 = larger<T>(v128.load(best, 32), larger<T>(s02, s12));
  const m3 = larger<T>(v128.load(best, 48), larger<T>(s03, s13));
  v128.store(best, m0);
  v128.store(best, m1, 16);
  v128.store(best, m2, 32);
  v128.store(best, m3, 48);
}

function tile4x8<T>(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  panel: usize,
  rowBytes: usize,
  best: usize,
): void {
  const end = a + rowBytes;
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  while (a < end) {
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    const z = v128.load32_splat(c);
    const w = v128.load32_splat(d);
    const p0 = v128.load(panel);
    const p1 = v128.load(panel, 16);
    s00 = plus<T>(s00, x, p0);
    s01 = plus<T>(s01, x, p1);
    s10 = plus<T>(s10, y, p0);
    s11 = plus<T>(s11, y, p1);
    s20 = plus<T>(s20, z, p0);
    s21 = plus<T>(s21, z, p1);
    s30 = plus<T>(s30, w, p0);
    s31 = plus<T>(s31, w, p1);
    a += 4;
    b += 4;
    c += 4;
    d += 4;
    panel += 32;
  }
  const m0 = larger<T>(larger<T>(s00, s10), larger<T>(s20, s30));
  const m1 = larger<T>(larger<T>(s01, s11), larger<T>(s21, s31));
  const b0 = larger<T>(v128.load(best), m0);
  const b1 = larger<T>(v128.load(best, 16), m1);
  v128.store(best, b0);
  v128.store(best, b1, 16);
}

// Two steps a turn, so that moving four addresses on costs less.
function tile4x4<T>(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  panel: usize,
  rowBytes: usize,
  best: usize,
): void {
  const end = a + (rowBytes & ~7);
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  while (a < end) {
    const p0 = v128.load(panel);
    s0 = plus<T>(s0, v128.load32_splat(a), p0);
    s1 = plus<T>(s1, v128.load32_splat(b), p0);
    s2 = plus<T>(s2, v128.load32_splat(c), p0);
    s3 = plus<T>(s3, v128.load32_splat(d), p0);
    const p1 = v128.load(panel, 16);
    s0 = plus<T>(s0, v128.load32_splat(a, 4), p1);
    s1 = plus<T>(s1, v128.load32_splat(b, 4), p1);
    s2 = plus<T>(s2, v128.load32_splat(c, 4), p1);
    s3 = plus<T>(s3, v128.load32_splat(d, 4), p1);
    a += 8;
    b += 8;
    c += 8;
    d += 8;
    panel += 32;
  }
  if (rowBytes & 4) {
    const p0 = v128.load(panel);
    s0 = plus<T>(s0, v128.load32_splat(a), p0);
    s1 = plus<T>(s1, v128.load32_splat(b), p0);
    s2 = plus<T>(s2, v128.load32_splat(c), p0);
    s3 = plus<T>(s3, v128.load32_splat(d), p0);
  }
  const m = larger<T>(larger<T>(s0, s1), larger<T>(s2, s3));
  v128.store(best, larger<T>(v128.load(best), m));
}

// s plus the products of four lanes with a token's value, or pair of values.
// @ts-expect-error: decorator
@inline
function plus<T>(s: v128, x: v128, p: v128): v128 {
  return isFloat<T>() ? f32x4.add(s, f32x4.mul(x, p)) : i32x4.add(s, i32x4.dot_i16x8_s(x, p));
}

// @ts-expect-error: decorator
@inline
function larger<T>(a: v128, b: v128): v128 {
  return isFloat<T>() ? f32x4.pmax(a, b) : i32x4.max_s(a, b);
}

// Writes `used` lanes down a column of the output.
// @ts-expect-error: decorator
@inline
function storeLanes<T>(best: usize, used: i32, out: usize, step: usize): void {
  for (const end = best + ((<usize>used) << 2); best < end; best += 4) {
    store<f32>(out, isFloat<T>() ? load<f32>(best) : <f32>load<i32>(best));
    out += step;
  }
}
