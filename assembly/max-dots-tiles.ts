// Tiles of MaxSim: products of 2 or 4 tokens with a panel of lanes, and their maxima with those in
// `best`. T: f32, i16, or `Scaled`. Sums stay in registers: storing them, as product-tiles.ts does,
// costs up to 9 %.

import { plus } from './product-tiles';

// int16 tokens with a scale each.
export type Scaled = i8;

// @ts-expect-error: decorator
@inline
function isScaled<T>(): bool {
  return sizeof<T>() == sizeof<Scaled>();
}

// Whether maxima are float32: those of int16 tokens without scales are int32.
// @ts-expect-error: decorator
@inline
export function scoresAreFloat<T>(): bool {
  return isFloat<T>() || isScaled<T>();
}

export function tile2x16<T>(
  a: usize,
  b: usize,
  panel: usize,
  rowBytes: usize,
  scale: usize,
  lastScale: usize,
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
  const f = factor<T>(scale);
  const g = factor<T>(min(scale + 4, lastScale));
  const m0 = larger<T>(v128.load(best), larger<T>(score<T>(s00, f), score<T>(s10, g)));
  const m1 = larger<T>(v128.load(best, 16), larger<T>(score<T>(s01, f), score<T>(s11, g)));
  const m2 = larger<T>(v128.load(best, 32), larger<T>(score<T>(s02, f), score<T>(s12, g)));
  const m3 = larger<T>(v128.load(best, 48), larger<T>(score<T>(s03, f), score<T>(s13, g)));
  v128.store(best, m0);
  v128.store(best, m1, 16);
  v128.store(best, m2, 32);
  v128.store(best, m3, 48);
}

export function tile4x8<T>(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  panel: usize,
  rowBytes: usize,
  scale: usize,
  lastScale: usize,
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
  const m0 = largest<T>(s00, s10, s20, s30, scale, lastScale);
  const m1 = largest<T>(s01, s11, s21, s31, scale, lastScale);
  const b0 = larger<T>(v128.load(best), m0);
  const b1 = larger<T>(v128.load(best, 16), m1);
  v128.store(best, b0);
  v128.store(best, b1, 16);
}

// Two steps a turn, so that moving four addresses on costs less.
export function tile4x4<T>(
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  panel: usize,
  rowBytes: usize,
  scale: usize,
  lastScale: usize,
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
  const m = largest<T>(s0, s1, s2, s3, scale, lastScale);
  v128.store(best, larger<T>(v128.load(best), m));
}

// @ts-expect-error: decorator
@inline
function larger<T>(a: v128, b: v128): v128 {
  return scoresAreFloat<T>() ? f32x4.pmax(a, b) : i32x4.max_s(a, b);
}

// Maxima of four tokens' scores.
// @ts-expect-error: decorator
@inline
function largest<T>(
  s0: v128,
  s1: v128,
  s2: v128,
  s3: v128,
  scale: usize,
  lastScale: usize,
): v128 {
  return larger<T>(
    larger<T>(
      score<T>(s0, factor<T>(scale)),
      score<T>(s1, factor<T>(min(scale + 4, lastScale))),
    ),
    larger<T>(
      score<T>(s2, factor<T>(min(scale + 8, lastScale))),
      score<T>(s3, factor<T>(min(scale + 12, lastScale))),
    ),
  );
}

// A token's scale; tokens without one have none to load.
// @ts-expect-error: decorator
@inline
function factor<T>(scale: usize): v128 {
  return isScaled<T>() ? v128.load32_splat(scale) : i32x4.splat(0);
}

// @ts-expect-error: decorator
@inline
function score<T>(s: v128, f: v128): v128 {
  return isScaled<T>() ? f32x4.mul(f32x4.convert_i32x4_s(s), f) : s;
}
