import { sumOf } from './lane-sum';

// MaxSim at a first look: int8 tokens times lanes of 7 bits, four dimensions an instruction. Lanes
// are shifted by 64 to 1 .. 127, where the instruction is exact in every engine; sums begin with
// -64 times the sum of the token's codes, which takes the shift out again.

// s plus the products of four dimensions of a token (int8) with those of four lanes (7 bits).
// @ts-expect-error: decorator
@inline
function plus(s: v128, token: v128, lanes: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(token, lanes, s);
}

// Lanes of the next panel when so many are left.
// @ts-expect-error: decorator
@inline
function panelWidth(left: i32): i32 {
  return left > 8 ? 16 : 8;
}

// Whether pairs of products end at 16 bits, as where the processor has no instruction for four of
// them: it shows where the second operand is out of the range that is used.
export function dotsSaturate(): i32 {
  const sums = plus(i32x4.splat(0), i8x16.splat(127), i8x16.splat(-1));
  return <i32>(i32x4.extract_lane(sums, 0) == 2 * 32767);
}

// Codes of int16 rows, divided by `step` and rounded, plus 64, to panels of 16 or 8 lanes:
// out[panel][k / 4][lane][k % 4], missing lanes 64; dim a multiple of 16. errors[r]: the sum of the
// squares of what rounding has left of row r.
export function packLanesU7(
  codes: usize,
  rows: i32,
  dim: i32,
  step: i32,
  out: usize,
  errors: usize,
): void {
  const inverse = i16x8.splat(<i16>((32768 + (step >> 1)) / step));
  const steps = i16x8.splat(<i16>step);
  const rowBytes = (<usize>dim) << 1;
  while (rows > 0) {
    const width = panelWidth(rows);
    const line = (<usize>width) << 2;
    const used = min(rows, width);
    for (let lane = 0; lane < width; lane++) {
      let to = out + ((<usize>lane) << 2);
      if (lane >= used) {
        for (let k = 0; k < dim; k += 4, to += line) store<u32>(to, 0x40404040);
        continue;
      }
      let error = i32x4.splat(0);
      for (const end = codes + rowBytes; codes < end; codes += 32) {
        const a = v128.load(codes);
        const b = v128.load(codes, 16);
        const x = i16x8.q15mulr_sat_s(a, inverse);
        const y = i16x8.q15mulr_sat_s(b, inverse);
        const restA = i16x8.sub(a, i16x8.mul(x, steps));
        const restB = i16x8.sub(b, i16x8.mul(y, steps));
        error = i32x4.add(error, i32x4.dot_i16x8_s(restA, restA));
        error = i32x4.add(error, i32x4.dot_i16x8_s(restB, restB));
        const shifted = i8x16.add(i8x16.narrow_i16x8_s(x, y), i8x16.splat(64));
        v128.store_lane<u32>(to, shifted, 0);
        v128.store_lane<u32>(to + line, shifted, 1);
        v128.store_lane<u32>(to + line * 2, shifted, 2);
        v128.store_lane<u32>(to + line * 3, shifted, 3);
        to += line << 2;
      }
      store<i32>(errors, sumOf(error));
      errors += 4;
    }
    out += <usize>width * <usize>dim;
    rows -= width;
  }
}

// offsets[t] = -64 times the sum of token t's codes; norms[d] = the largest sum of squares of a
// token of document d. Codes within -127 .. 127, dim a multiple of 16.
export function sumTokensI8(
  tokens: usize,
  dim: i32,
  counts: usize,
  documents: i32,
  offsets: usize,
  norms: usize,
): void {
  const ones = i8x16.splat(64);
  const rowBytes = <usize>dim;
  for (let d = 0; d < documents; d++) {
    let left = load<i32>(counts + ((<usize>d) << 2));
    let most = i32x4.splat(0);
    while (left > 0) {
      // in place of a missing token the last one again
      const second = left > 1 ? tokens + rowBytes : tokens;
      const third = left > 2 ? second + rowBytes : second;
      const fourth = left > 3 ? third + rowBytes : third;
      let s0 = i32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      let n0 = s0;
      let n1 = s0;
      let n2 = s0;
      let n3 = s0;
      for (let k: usize = 0; k < rowBytes; k += 16) {
        const x = v128.load(tokens + k);
        const y = v128.load(second + k);
        const z = v128.load(third + k);
        const w = v128.load(fourth + k);
        s0 = plus(s0, x, ones);
        s1 = plus(s1, y, ones);
        s2 = plus(s2, z, ones);
        s3 = plus(s3, w, ones);
        n0 = squares(n0, x);
        n1 = squares(n1, y);
        n2 = squares(n2, z);
        n3 = squares(n3, w);
      }
      const sums = i32x4.neg(sumsOfFour(s0, s1, s2, s3));
      most = i32x4.max_s(most, sumsOfFour(n0, n1, n2, n3));
      if (left >= 4) {
        v128.store(offsets, sums);
        tokens += rowBytes << 2;
        offsets += 16;
      } else {
        store<i32>(offsets, i32x4.extract_lane(sums, 0));
        if (left > 1) store<i32>(offsets, i32x4.extract_lane(sums, 1), 4);
        if (left > 2) store<i32>(offsets, i32x4.extract_lane(sums, 2), 8);
        tokens += rowBytes * <usize>left;
        offsets += (<usize>left) << 2;
      }
      left -= 4;
    }
    const pairs = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
    store<i32>(norms, max(i32x4.extract_lane(pairs, 0), i32x4.extract_lane(pairs, 1)));
    norms += 4;
  }
}

// @ts-expect-error: decorator
@inline
function squares(s: v128, token: v128): v128 {
  const size = i8x16.abs(token);
  return plus(s, size, size);
}

// The sum of each of four vectors.
// @ts-expect-error: decorator
@inline
function sumsOfFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

// out[x * outStride + d] = max over tokens t of document d of <lane x, t>, lanes without their
// shift: exact in int32, then float32. Panels of `packLanesU7`, offsets of `sumTokensI8`; `best`:
// 64 bytes of scratch. Tiles of 3 tokens by 16 lanes: of 2, merged to 256 bits, they are a sixth
// slower, of 4 without merging a tenth.
export function maxDotsU7(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  offsets: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
  best: usize,
): void {
  const rowBytes = <usize>dim;
  const step = (<usize>outStride) << 2;
  const none = i32x4.splat(i32.MIN_VALUE);
  while (lanes > 0) {
    const width = panelWidth(lanes);
    let token = tokens;
    let offset = offsets;
    for (let d = 0; d < documents; d++) {
      const count = <usize>load<i32>(counts + ((<usize>d) << 2));
      const end = token + count * rowBytes;
      const last = end - rowBytes;
      const lastOffset = offset + (count << 2) - 4;
      v128.store(best, none);
      v128.store(best, none, 16);
      v128.store(best, none, 32);
      v128.store(best, none, 48);
      while (token < end) {
        if (width == 16) {
          tile3x16(token, last, panels, rowBytes, offset, lastOffset, best);
          token += rowBytes * 3;
          offset += 12;
        } else {
          tile6x8(token, last, panels, rowBytes, offset, lastOffset, best);
          token += rowBytes * 6;
          offset += 24;
        }
      }
      token = end;
      offset = lastOffset + 4;
      let from = best;
      let to = out + ((<usize>d) << 2);
      for (const stop = best + ((<usize>min(lanes, width)) << 2); from < stop; from += 4) {
        store<f32>(to, <f32>load<i32>(from));
        to += step;
      }
    }
    panels += <usize>width * rowBytes;
    out += <usize>width * step;
    lanes -= width;
  }
}

// Three tokens from `a` on, in place of missing ones the last again.
function tile3x16(
  a: usize,
  last: usize,
  panel: usize,
  rowBytes: usize,
  offset: usize,
  lastOffset: usize,
  best: usize,
): void {
  let b = min(a + rowBytes, last);
  let c = min(b + rowBytes, last);
  const end = a + rowBytes;
  let s00 = v128.load32_splat(offset);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = v128.load32_splat(min(offset + 4, lastOffset));
  let s11 = s10;
  let s12 = s10;
  let s13 = s10;
  let s20 = v128.load32_splat(min(offset + 8, lastOffset));
  let s21 = s20;
  let s22 = s20;
  let s23 = s20;
  while (a < end) {
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    const z = v128.load32_splat(c);
    const p0 = v128.load(panel);
    const p1 = v128.load(panel, 16);
    const p2 = v128.load(panel, 32);
    const p3 = v128.load(panel, 48);
    s00 = plus(s00, x, p0);
    s01 = plus(s01, x, p1);
    s02 = plus(s02, x, p2);
    s03 = plus(s03, x, p3);
    s10 = plus(s10, y, p0);
    s11 = plus(s11, y, p1);
    s12 = plus(s12, y, p2);
    s13 = plus(s13, y, p3);
    s20 = plus(s20, z, p0);
    s21 = plus(s21, z, p1);
    s22 = plus(s22, z, p2);
    s23 = plus(s23, z, p3);
    a += 4;
    b += 4;
    c += 4;
    panel += 64;
  }
  const m0 = i32x4.max_s(v128.load(best), i32x4.max_s(i32x4.max_s(s00, s10), s20));
  const m1 = i32x4.max_s(v128.load(best, 16), i32x4.max_s(i32x4.max_s(s01, s11), s21));
  const m2 = i32x4.max_s(v128.load(best, 32), i32x4.max_s(i32x4.max_s(s02, s12), s22));
  const m3 = i32x4.max_s(v128.load(best, 48), i32x4.max_s(i32x4.max_s(s03, s13), s23));
  v128.store(best, m0);
  v128.store(best, m1, 16);
  v128.store(best, m2, 32);
  v128.store(best, m3, 48);
}

// The same for six tokens and eight lanes.
function tile6x8(
  a: usize,
  last: usize,
  panel: usize,
  rowBytes: usize,
  offset: usize,
  lastOffset: usize,
  best: usize,
): void {
  let b = min(a + rowBytes, last);
  let c = min(b + rowBytes, last);
  let d = min(c + rowBytes, last);
  let e = min(d + rowBytes, last);
  let f = min(e + rowBytes, last);
  const end = a + rowBytes;
  let s00 = v128.load32_splat(offset);
  let s01 = s00;
  let s10 = v128.load32_splat(min(offset + 4, lastOffset));
  let s11 = s10;
  let s20 = v128.load32_splat(min(offset + 8, lastOffset));
  let s21 = s20;
  let s30 = v128.load32_splat(min(offset + 12, lastOffset));
  let s31 = s30;
  let s40 = v128.load32_splat(min(offset + 16, lastOffset));
  let s41 = s40;
  let s50 = v128.load32_splat(min(offset + 20, lastOffset));
  let s51 = s50;
  while (a < end) {
    const p0 = v128.load(panel);
    const p1 = v128.load(panel, 16);
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    const z = v128.load32_splat(c);
    s00 = plus(s00, x, p0);
    s01 = plus(s01, x, p1);
    s10 = plus(s10, y, p0);
    s11 = plus(s11, y, p1);
    s20 = plus(s20, z, p0);
    s21 = plus(s21, z, p1);
    const u = v128.load32_splat(d);
    const v = v128.load32_splat(e);
    const w = v128.load32_splat(f);
    s30 = plus(s30, u, p0);
    s31 = plus(s31, u, p1);
    s40 = plus(s40, v, p0);
    s41 = plus(s41, v, p1);
    s50 = plus(s50, w, p0);
    s51 = plus(s51, w, p1);
    a += 4;
    b += 4;
    c += 4;
    d += 4;
    e += 4;
    f += 4;
    panel += 32;
  }
  const m0 = i32x4.max_s(
    i32x4.max_s(i32x4.max_s(s00, s10), i32x4.max_s(s20, s30)),
    i32x4.max_s(i32x4.max_s(s40, s50), v128.load(best)),
  );
  const m1 = i32x4.max_s(
    i32x4.max_s(i32x4.max_s(s01, s11), i32x4.max_s(s21, s31)),
    i32x4.max_s(i32x4.max_s(s41, s51), v128.load(best, 16)),
  );
  v128.store(best, m0);
  v128.store(best, m1, 16);
}
