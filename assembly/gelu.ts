// gelu of a multiple of 16 numbers, as `activation` has it. Engines make a constant anew wherever a
// loop names it, in Node 24 by several instructions; so the constants are made before the loop, in
// a way that no compiler takes them for constants.

// out = x Phi(x) and, unless `slope` is 0, slope = Phi(x) + x phi(x), which may be x itself.
export function gelu16(x: usize, n: i32, out: usize, slope: usize): void {
  const end = x + ((<usize>n) << 2);
  // zero, since n is not negative
  const zero = i32x4.splat(n >>> 31);
  const one = held(1, zero);
  const half = held(0.5, zero);
  const minusHalf = held(-0.5, zero);
  const least = held(-87, zero);
  const perLn2 = held(1.44269504088896341, zero);
  const rounder = held(12582912, zero);
  const ln2High = held(0.693359375, zero);
  const ln2Low = held(2.1219444e-4, zero);
  const e6 = held(1.98756915e-4, zero);
  const e5 = held(1.3981999507e-3, zero);
  const e4 = held(8.3334519073e-3, zero);
  const e3 = held(4.1665795894e-2, zero);
  const e2 = held(1.6666665459e-1, zero);
  const e1 = held(5.0000001201e-1, zero);
  const perRoot2 = held(0.7071067811865476, zero);
  const p = held(0.3275911, zero);
  const c5 = held(1.061405429, zero);
  const c4 = held(1.453152027, zero);
  const c3 = held(1.421413741, zero);
  const c2 = held(0.284496736, zero);
  const c1 = held(0.254829592, zero);
  const perRoot2Pi = held(0.3989422804014327, zero);
  for (; x < end; x += 64, out += 64) {
    const xa = v128.load(x);
    const xb = v128.load(x, 16);
    const xc = v128.load(x, 32);
    const xd = v128.load(x, 48);
    const qa = f32x4.pmax(f32x4.mul(f32x4.mul(xa, xa), minusHalf), least);
    const qb = f32x4.pmax(f32x4.mul(f32x4.mul(xb, xb), minusHalf), least);
    const qc = f32x4.pmax(f32x4.mul(f32x4.mul(xc, xc), minusHalf), least);
    const qd = f32x4.pmax(f32x4.mul(f32x4.mul(xd, xd), minusHalf), least);
    const ga = expOf(qa, perLn2, rounder, ln2High, ln2Low, e6, e5, e4, e3, e2, e1, one);
    const gb = expOf(qb, perLn2, rounder, ln2High, ln2Low, e6, e5, e4, e3, e2, e1, one);
    const gc = expOf(qc, perLn2, rounder, ln2High, ln2Low, e6, e5, e4, e3, e2, e1, one);
    const gd = expOf(qd, perLn2, rounder, ln2High, ln2Low, e6, e5, e4, e3, e2, e1, one);
    const pa = cdfOf(xa, ga, perRoot2, p, c5, c4, c3, c2, c1, half, one);
    const pb = cdfOf(xb, gb, perRoot2, p, c5, c4, c3, c2, c1, half, one);
    const pc = cdfOf(xc, gc, perRoot2, p, c5, c4, c3, c2, c1, half, one);
    const pd = cdfOf(xd, gd, perRoot2, p, c5, c4, c3, c2, c1, half, one);
    if (slope) {
      v128.store(slope, f32x4.add(pa, f32x4.mul(xa, f32x4.mul(ga, perRoot2Pi))));
      v128.store(slope, f32x4.add(pb, f32x4.mul(xb, f32x4.mul(gb, perRoot2Pi))), 16);
      v128.store(slope, f32x4.add(pc, f32x4.mul(xc, f32x4.mul(gc, perRoot2Pi))), 32);
      v128.store(slope, f32x4.add(pd, f32x4.mul(xd, f32x4.mul(gd, perRoot2Pi))), 48);
      slope += 64;
    }
    v128.store(out, f32x4.mul(xa, pa));
    v128.store(out, f32x4.mul(xb, pb), 16);
    v128.store(out, f32x4.mul(xc, pc), 32);
    v128.store(out, f32x4.mul(xd, pd), 48);
  }
}

// Four times a constant, which `zero` hides.
// @ts-expect-error: decorator
@inline
function held(constant: f32, zero: v128): v128 {
  return v128.or(f32x4.splat(constant), zero);
}

// exp(q), q between -87 and 0, by the formula of exp4 and with its bits: `rounder` is 1.5 x 2^23,
// to add it rounds to a whole number, ties to even, and leaves that in the low bits.
// @ts-expect-error: decorator
@inline
function expOf(
  q: v128,
  perLn2: v128,
  rounder: v128,
  ln2High: v128,
  ln2Low: v128,
  e6: v128,
  e5: v128,
  e4: v128,
  e3: v128,
  e2: v128,
  e1: v128,
  one: v128,
): v128 {
  const rounded = f32x4.add(f32x4.mul(q, perLn2), rounder);
  const n = f32x4.sub(rounded, rounder);
  const r = f32x4.add(f32x4.sub(q, f32x4.mul(n, ln2High)), f32x4.mul(n, ln2Low));
  let y = f32x4.add(f32x4.mul(e6, r), e5);
  y = f32x4.add(f32x4.mul(y, r), e4);
  y = f32x4.add(f32x4.mul(y, r), e3);
  y = f32x4.add(f32x4.mul(y, r), e2);
  y = f32x4.add(f32x4.mul(y, r), e1);
  y = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(y, r), r), r), one);
  // n onto the exponent of y, which is near 1
  return i32x4.add(y, i32x4.shl(rounded, 23));
}

// Phi(x) = (1 + erf(x / sqrt 2)) / 2 by the formula of normalCdf and with its bits.
// @ts-expect-error: decorator
@inline
function cdfOf(
  x: v128,
  gaussian: v128,
  perRoot2: v128,
  p: v128,
  c5: v128,
  c4: v128,
  c3: v128,
  c2: v128,
  c1: v128,
  half: v128,
  one: v128,
): v128 {
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.mul(f32x4.abs(x), perRoot2), p)));
  let y = f32x4.sub(f32x4.mul(c5, t), c4);
  y = f32x4.add(f32x4.mul(y, t), c3);
  y = f32x4.sub(f32x4.mul(y, t), c2);
  y = f32x4.add(f32x4.mul(y, t), c1);
  const tail = f32x4.mul(f32x4.mul(f32x4.mul(y, t), gaussian), half);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}
