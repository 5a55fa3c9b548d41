// Inner products of one query with many rows.
import { sumOf } from './lane-sum';

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

// out[i] = <q, rows[i]>, q int16, rows int8: exact in int32, then float32. Rows of four quarters
// take turns: a core that reads in four places gets twice as much from memory as in one.
export function scanI8(q: usize, rows: usize, count: i32, dim: i32, out: usize): void {
  const end16 = q + ((<usize>(dim & ~15)) << 1);
  const end = q + ((<usize>dim) << 1);
  const quarter = count >> 2;
  const far = <usize>quarter * <usize>dim;
  const farOut = (<usize>quarter) << 2;
  let a = rows;
  let b = a + far;
  let c = b + far;
  let d = c + far;
  for (const last = out + farOut; out < last; out += 4) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let b0 = a0;
    let b1 = a0;
    let c0 = a0;
    let c1 = a0;
    let d0 = a0;
    let d1 = a0;
    for (let at = q; at < end16; at += 32) {
      const x = v128.load(at);
      const y = v128.load(at, 16);
      a0 = plusProducts(a0, x, a);
      a1 = plusProducts(a1, y, a + 8);
      b0 = plusProducts(b0, x, b);
      b1 = plusProducts(b1, y, b + 8);
      c0 = plusProducts(c0, x, c);
      c1 = plusProducts(c1, y, c + 8);
      d0 = plusProducts(d0, x, d);
      d1 = plusProducts(d1, y, d + 8);
      a += 16;
      b += 16;
      c += 16;
      d += 16;
    }
    const other = out + (farOut << 1);
    store<f32>(out, <f32>(sumOf(i32x4.add(a0, a1)) + restOf(end16, end, a)));
    store<f32>(out + farOut, <f32>(sumOf(i32x4.add(b0, b1)) + restOf(end16, end, b)));
    store<f32>(other, <f32>(sumOf(i32x4.add(c0, c1)) + restOf(end16, end, c)));
    store<f32>(other + farOut, <f32>(sumOf(i32x4.add(d0, d1)) + restOf(end16, end, d)));
    const rest = end - end16 >> 1;
    a += rest;
    b += rest;
    c += rest;
    d += rest;
  }
  out += farOut * 3;
  for (let i = quarter << 2; i < count; i++) {
    let s0 = i32x4.splat(0);
    let s1 = s0;
    for (let at = q; at < end16; at += 32) {
      s0 = plusProducts(s0, v128.load(at), d);
      s1 = plusProducts(s1, v128.load(at, 16), d + 8);
      d += 16;
    }
    store<f32>(out, <f32>(sumOf(i32x4.add(s0, s1)) + restOf(end16, end, d)));
    d += end - end16 >> 1;
    out += 4;
  }
}

// s plus products of eight lanes of int16 with the codes at an address, in pairs.
// @ts-expect-error: decorator
@inline
function plusProducts(s: v128, x: v128, codes: usize): v128 {
  return i32x4.add(s, i32x4.dot_i16x8_s(x, v128.load8x8_s(codes)));
}

// Products of the int16 from `at` to `end` with the codes at an address.
// @ts-expect-error: decorator
@inline
function restOf(at: usize, end: usize, codes: usize): i32 {
  let sum = 0;
  for (; at < end; at += 2) {
    sum += <i32>load<i16>(at) * <i32>load<i8>(codes);
    codes += 1;
  }
  return sum;
}
