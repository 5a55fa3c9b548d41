// maxDotsI16 for tokens with a scale each: out[x * outStride + d] = max over tokens t of document d
// of scale t * <lane x, t>. Products are exact in int32, then float32, then scaled.
//
// The sums of two tokens go through `sums` (32 int32): from adjacent stores V8 can make one loop of
// 256 bits.
export function maxDotsScaledI16(
  panels: usize,
  lanes: i32,
  dim: i32,
  tokens: usize,
  scales: usize,
  counts: usize,
  documents: i32,
  sums: usize,
  out: usize,
  outStride: i32,
): void {
  const rowBytes = (<usize>dim) << 1;
  for (let first = 0; first < lanes; first += 16) {
    const panel = panels + <usize>first * rowBytes;
    const used = min(16, lanes - first);
    let token = tokens;
    let scale = scales;
    for (let d = 0; d < documents; d++) {
      let m0 = f32x4.splat(-Infinity);
      let m1 = m0;
      let m2 = m0;
      let m3 = m0;
      let count = load<i32>(counts + ((<usize>d) << 2));
      for (; count >= 2; count -= 2) {
        sumPair(token, rowBytes, panel, sums);
        const x = v128.load32_splat(scale);
        const y = v128.load32_splat(scale, 4);
        m0 = f32x4.pmax(m0, f32x4.pmax(scaled(sums, x), scaled(sums + 64, y)));
        m1 = f32x4.pmax(m1, f32x4.pmax(scaled(sums + 16, x), scaled(sums + 80, y)));
        m2 = f32x4.pmax(m2, f32x4.pmax(scaled(sums + 32, x), scaled(sums + 96, y)));
        m3 = f32x4.pmax(m3, f32x4.pmax(scaled(sums + 48, x), scaled(sums + 112, y)));
        token += rowBytes << 1;
        scale += 8;
      }
      if (count == 1) {
        sumOne(token, rowBytes, panel, sums);
        const x = v128.load32_splat(scale);
        m0 = f32x4.pmax(m0, scaled(sums, x));
        m1 = f32x4.pmax(m1, scaled(sums + 16, x));
        m2 = f32x4.pmax(m2, scaled(sums + 32, x));
        m3 = f32x4.pmax(m3, scaled(sums + 48, x));
        token += rowBytes;
        scale += 4;
      }
      storeLanes(out + ((<usize>first * outStride + d) << 2), outStride, used, m0, m1, m2, m3);
    }
  }
}

// Products of two tokens with 16 lanes: 2 x 16 int32.
// @ts-expect-error: decorator
@inline
function sumPair(token: usize, rowBytes: usize, panel: usize, sums: usize): void {
  const end = token + rowBytes;
  let s00 = i32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  let p = panel;
  for (let a = token; a < end; a += 4) {
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
    p += 64;
  }
  v128.store(sums, s00);
  v128.store(sums, s01, 16);
  v128.store(sums, s02, 32);
  v128.store(sums, s03, 48);
  v128.store(sums, s10, 64);
  v128.store(sums, s11, 80);
  v128.store(sums, s12, 96);
  v128.store(sums, s13, 112);
}

// @ts-expect-error: decorator
@inline
function sumOne(token: usize, rowBytes: usize, panel: usize, sums: usize): void {
  const end = token + rowBytes;
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let p = panel;
  for (let a = token; a < end; a += 4) {
    const x = v128.load32_splat(a);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load(p)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load(p, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load(p, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load(p, 48)));
    p += 64;
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, s2, 32);
  v128.store(sums, s3, 48);
}

// @ts-expect-error: decorator
@inline
function scaled(sums: usize, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), scale);
}

// Writes `used` of 16 lanes down a column of the output.
function storeLanes(
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
