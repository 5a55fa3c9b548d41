// Inner products of one query with many rows.

// out[i] = <q, rows[i]> in float32, four partial sums of lanes each.
export function scanF32(q: usize, rows: usize, count: i32, dim: i32, out: usize): void {
  const end4 = q + ((<usize>(dim & ~15)) << 2);
  const end = q + ((<usize>dim) << 2);
  for (let i = 0; i < count; i++) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let at = q;
    for (; at < end4; at += 64) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(at), v128.load(rows)));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(at, 16), v128.load(rows, 16)));
      s2 = f32x4.add(s2, f32x4.mul(v128.load(at, 32), v128.load(rows, 32)));
      s3 = f32x4.add(s3, f32x4.mul(v128.load(at, 48), v128.load(rows, 48)));
      rows += 64;
    }
    const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
    let sum =
      f32x4.extract_lane(s, 0) +
      f32x4.extract_lane(s, 1) +
      (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
    for (; at < end; at += 4) {
      sum += load<f32>(at) * load<f32>(rows);
      rows += 4;
    }
    store<f32>(out, sum);
    out += 4;
  }
}

// out[i] = <q, rows[i]>, q int16, rows int8: exact in int32, then float32.
export function scanI8(q: usize, rows: usize, count: i32, dim: i32, out: usize): void {
  const end16 = q + ((<usize>(dim & ~15)) << 1);
  const end = q + ((<usize>dim) << 1);
  for (let i = 0; i < count; i++) {
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let at = q;
    for (; at < end16; at += 32) {
      const v = v128.load(rows);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load(at), i16x8.extend_low_i8x16_s(v)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load(at, 16), i16x8.extend_high_i8x16_s(v)));
      rows += 16;
    }
    const s = i32x4.add(s0, s1);
    let sum =
      i32x4.extract_lane(s, 0) +
      i32x4.extract_lane(s, 1) +
      i32x4.extract_lane(s, 2) +
      i32x4.extract_lane(s, 3);
    for (; at < end; at += 2) {
      sum += <i32>load<i16>(at) * <i32>load<i8>(rows);
      rows += 1;
    }
    store<f32>(out, <f32>sum);
    out += 4;
  }
}
