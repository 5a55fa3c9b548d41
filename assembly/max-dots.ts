// Largest inner product of each of many vectors ("lanes") with the tokens of each document: out[x *
// outStride + d] = max over tokens t of document d of <lane x, t>. No score matrix is written.
//
// Lanes come packed in panels of 16: panel p holds lanes 16p .. 16p + 15 as dim x 16 (see pack.ts).
// Two tokens x 16 lanes stay in eight registers; a panel stays in the first-level cache while the
// tokens stream by.

export function maxDotsF32(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
): void {
  const rowBytes = (<usize>dim) << 2;
  for (let first = 0; first < lanes; first += 16) {
    const panel = panels + <usize>first * rowBytes;
    const used = min(16, lanes - first);
    let token = tokens;
    for (let d = 0; d < documents; d++) {
      let m0 = f32x4.splat(-Infinity);
      let m1 = m0;
      let m2 = m0;
      let m3 = m0;
      let count = load<i32>(counts + ((<usize>d) << 2));
      for (; count >= 2; count -= 2) {
        let a = token;
        let b = token + rowBytes;
        let p = panel;
        const end = b;
        let s00 = f32x4.splat(0);
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
          const p0 = v128.load(p);
          const p1 = v128.load(p, 16);
          const p2 = v128.load(p, 32);
          const p3 = v128.load(p, 48);
          s00 = f32x4.add(s00, f32x4.mul(x, p0));
          s01 = f32x4.add(s01, f32x4.mul(x, p1));
          s02 = f32x4.add(s02, f32x4.mul(x, p2));
          s03 = f32x4.add(s03, f32x4.mul(x, p3));
          s10 = f32x4.add(s10, f32x4.mul(y, p0));
          s11 = f32x4.add(s11, f32x4.mul(y, p1));
          s12 = f32x4.add(s12, f32x4.mul(y, p2));
          s13 = f32x4.add(s13, f32x4.mul(y, p3));
          a += 4;
          b += 4;
          p += 64;
        }
        m0 = f32x4.pmax(m0, f32x4.pmax(s00, s10));
        m1 = f32x4.pmax(m1, f32x4.pmax(s01, s11));
        m2 = f32x4.pmax(m2, f32x4.pmax(s02, s12));
        m3 = f32x4.pmax(m3, f32x4.pmax(s03, s13));
        token += rowBytes << 1;
      }
      if (count == 1) {
        let a = token;
        let p = panel;
        const end = a + rowBytes;
        let s0 = f32x4.splat(0);
        let s1 = s0;
        let s2 = s0;
        let s3 = s0;
        while (a < end) {
          const x = v128.load32_splat(a);
          s0 = f32x4.add(s0, f32x4.mul(x, v128.load(p)));
          s1 = f32x4.add(s1, f32x4.mul(x, v128.load(p, 16)));
          s2 = f32x4.add(s2, f32x4.mul(x, v128.load(p, 32)));
          s3 = f32x4.add(s3, f32x4.mul(x, v128.load(p, 48)));
          a += 4;
          p += 64;
        }
        m0 = f32x4.pmax(m0, s0);
        m1 = f32x4.pmax(m1, s1);
        m2 = f32x4.pmax(m2, s2);
        m3 = f32x4.pmax(m3, s3);
        token += rowBytes;
      }
      storeLanes(out + ((<usize>first * outStride + d) << 2), outStride, used, m0, m1, m2, m3);
    }
  }
}

// The same for int8 tokens, widened to int16 rows of `dim` values, dim even. Lanes are int16 pairs
// (dim / 2 x 16 x 2, see packLanesI16); one dot_i16x8_s multiplies a pair of dimensions of four
// lanes. Sums are exact in int32, then float32.
export function maxDotsI16(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  counts: usize,
  documents: i32,
  out: usize,
  outStride: i32,
): void {
  const rowBytes = (<usize>dim) << 1;
  for (let first = 0; first < lanes; first += 16) {
    const panel = panels + <usize>first * rowBytes;
    const used = min(16, lanes - first);
    let token = tokens;
    for (let d = 0; d < documents; d++) {
      let m0 = i32x4.splat(i32.MIN_VALUE);
      let m1 = m0;
      let m2 = m0;
      let m3 = m0;
      let count = load<i32>(counts + ((<usize>d) << 2));
      for (; count >= 2; count -= 2) {
        let a = token;
        let p = panel;
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
          const y = v128.load32_splat(a + rowBytes);
          const p0 = v128.load(p);
          const p1 = v128.load(p, 16);
          const p2 = v128.load(p, 32);
          const p3 = v128.load(p, 48);
          s00 = i32x4.add(s00, i32x4.dot_i16x8_s(x, p0));
          s01 = i32x4.add(s01, i32x4.dot_i16x8_s(x, p1));
          s02 = i32x4.add(s02, i32x4.dot_i16x8_s(x, p2));
          s03 = i32x4.add(s03, i32x4.dot_i16x8_s(x, p3));
          s10 = i32x4.add(s10, i32x4.dot_i16x8_s(y, p0));
          s11 = i32x4.add(s11, i32x4.dot_i16x8_s(y, p1));
          s12 = i32x4.add(s12, i32x4.dot_i16x8_s(y, p2));
          s13 = i32x4.add(s13, i32x4.dot_i16x8_s(y, p3));
          a += 4;
          p += 64;
        }
        m0 = i32x4.max_s(m0, i32x4.max_s(s00, s10));
        m1 = i32x4.max_s(m1, i32x4.max_s(s01, s11));
        m2 = i32x4.max_s(m2, i32x4.max_s(s02, s12));
        m3 = i32x4.max_s(m3, i32x4.max_s(s03, s13));
        token += rowBytes << 1;
      }
      if (count == 1) {
        let a = token;
        let p = panel;
        const end = a + rowBytes;
        let s0 = i32x4.splat(0);
        let s1 = s0;
        let s2 = s0;
        let s3 = s0;
        while (a < end) {
          const x = v128.load32_splat(a);
          s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load(p)));
          s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load(p, 16)));
          s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load(p, 32)));
          s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load(p, 48)));
          a += 4;
          p += 64;
        }
        m0 = i32x4.max_s(m0, s0);
        m1 = i32x4.max_s(m1, s1);
        m2 = i32x4.max_s(m2, s2);
        m3 = i32x4.max_s(m3, s3);
        token += rowBytes;
      }
      storeLanes(
        out + ((<usize>first * outStride + d) << 2),
        outStride,
        used,
        f32x4.convert_i32x4_s(m0),
        f32x4.convert_i32x4_s(m1),
        f32x4.convert_i32x4_s(m2),
        f32x4.convert_i32x4_s(m3),
      );
    }
  }
}

// Writes `used` of 16 lanes down a column of the output.
export function storeLanes(
  at: usize,
  stride: i32,
  used: i32,
  m0: v128,
  m1: v128,
  m2: v128,
  m3: v128,
): void {
  const step = (<usize>stride) << 2;
  storeFour(at, step, used, m0);
  if (used > 4) storeFour(at + step * 4, step, used - 4, m1);
  if (used > 8) storeFour(at + step * 8, step, used - 8, m2);
  if (used > 12) storeFour(at + step * 12, step, used - 12, m3);
}

// @ts-expect-error: decorator
@inline
function storeFour(at: usize, step: usize, used: i32, m: v128): void {
  store<f32>(at, f32x4.extract_lane(m, 0));
  if (used > 1) store<f32>(at + step, f32x4.extract_lane(m, 1));
  if (used > 2) store<f32>(at + step * 2, f32x4.extract_lane(m, 2));
  if (used > 3) store<f32>(at + step * 3, f32x4.extract_lane(m, 3));
}
