// Sums of products of two rows with a panel of 16 columns, in eight registers. They end in nothing
// but adjacent stores, from which V8 can merge pairs of registers to 256 bits.

// To 16 values at c and 16 at d. T: f32, or i16 in pairs. A row ends at `end`, its values or pairs
// are `step` bytes apart. Inlined, because a call a tile costs up to 9 %.
// @ts-expect-error: decorator
@inline
export function sums2x16<T>(
  a: usize,
  b: usize,
  end: usize,
  step: usize,
  panel: usize,
  c: usize,
  d: usize,
): void {
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
    a += step;
    b += step;
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

// s plus the products of four lanes with a row's value, or pair of values.
// @ts-expect-error: decorator
@inline
export function plus<T>(s: v128, x: v128, p: v128): v128 {
  return isFloat<T>() ? f32x4.add(s, f32x4.mul(x, p)) : i32x4.add(s, i32x4.dot_i16x8_s(x, p));
}

// The first `used` of 16 sums to a row of C, or added to it.
// @ts-expect-error: decorator
@inline
export function storeSums(sums: usize, c: usize, used: i32, add: bool): void {
  if (used == 16 && add) {
    v128.store(c, f32x4.add(v128.load(c), v128.load(sums)));
    v128.store(c, f32x4.add(v128.load(c, 16), v128.load(sums, 16)), 16);
    v128.store(c, f32x4.add(v128.load(c, 32), v128.load(sums, 32)), 32);
    v128.store(c, f32x4.add(v128.load(c, 48), v128.load(sums, 48)), 48);
  } else {
    for (const end = sums + ((<usize>used) << 2); sums < end; sums += 4) {
      const s = load<f32>(sums);
      store<f32>(c, add ? load<f32>(c) + s : s);
      c += 4;
    }
  }
}
