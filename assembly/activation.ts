import { exp4 } from './exp';
import { gelu16 } from './gelu';

// Activations by number: 0 gelu (with erf), 1 relu, 2 silu, 3 mish. n is a multiple of 4 or the
// buffers reach to the next one.

// out = f(x) and, unless `slope` is 0, slope = f'(x), which may be x itself: both need the same
// exponential.
export function activation(kind: i32, x: usize, n: i32, out: usize, slope: usize): void {
  // whole 16s of gelu, the default, go first
  const done = kind == 0 ? n & ~15 : 0;
  if (done) gelu16(x, done, out, slope);
  x += (<usize>done) << 2;
  out += (<usize>done) << 2;
  if (slope) slope += (<usize>done) << 2;
  for (let rest = n - done; rest > 0; rest -= 4, x += 16, out += 16) {
    const v = v128.load(x);
    let y: v128;
    let d = v;
    if (kind == 0) {
      // x Phi(x); Phi(x) + x phi(x)
      const g = gauss(v);
      const cdf = normalCdf(v, g);
      y = f32x4.mul(v, cdf);
      d = geluSlope(v, g, cdf);
    } else if (kind == 1) {
      y = f32x4.pmax(f32x4.splat(0), v);
      d = v128.and(f32x4.gt(v, f32x4.splat(0)), f32x4.splat(1));
    } else if (kind == 2) {
      // s = sigmoid(x): x s; s (1 + x (1 - s))
      const s = sigmoid(v);
      y = f32x4.mul(v, s);
      d = f32x4.mul(s, f32x4.add(f32x4.splat(1), f32x4.mul(v, f32x4.sub(f32x4.splat(1), s))));
    } else {
      // t = tanh(softplus(x)): x t; t + x sigmoid(x) (1 - t^2)
      const e = mishExp(v);
      const t = tanhSoftplus(e);
      const s = f32x4.div(e, f32x4.add(e, f32x4.splat(1)));
      y = f32x4.mul(v, t);
      d = f32x4.add(t, f32x4.mul(f32x4.mul(v, s), f32x4.sub(f32x4.splat(1), f32x4.mul(t, t))));
    }
    if (slope) {
      v128.store(slope, d);
      slope += 16;
    }
    v128.store(out, y);
  }
}

// Phi(x) + x phi(x), given exp(-x^2 / 2) and Phi(x)
// @ts-expect-error: decorator
@inline
function geluSlope(x: v128, gaussian: v128, cdf: v128): v128 {
  return f32x4.add(cdf, f32x4.mul(x, f32x4.mul(gaussian, f32x4.splat(0.3989422804014327))));
}

// exp(-x^2 / 2)
// @ts-expect-error: decorator
@inline
function gauss(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

// Phi(x) = (1 + erf(x / sqrt 2)) / 2 by Abramowitz and Stegun 7.1.26 (absolute error of erf below
// 1.5e-7), given exp(-x^2 / 2).
// @ts-expect-error: decorator
@inline
function normalCdf(x: v128, gaussian: v128): v128 {
  const z = f32x4.mul(f32x4.abs(x), f32x4.splat(0.7071067811865476));
  const t = f32x4.div(
    f32x4.splat(1),
    f32x4.add(f32x4.splat(1), f32x4.mul(z, f32x4.splat(0.3275911))),
  );
  let y = f32x4.splat(1.061405429);
  y = f32x4.sub(f32x4.mul(y, t), f32x4.splat(1.453152027));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(1.421413741));
  y = f32x4.sub(f32x4.mul(y, t), f32x4.splat(0.284496736));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(0.254829592));
  const tail = f32x4.mul(f32x4.mul(f32x4.mul(y, t), gaussian), f32x4.splat(0.5));
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), f32x4.lt(x, f32x4.splat(0)));
}

// @ts-expect-error: decorator
@inline
function sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

// e^x, where from 20 on mish(x) = x in float32
// @ts-expect-error: decorator
@inline
function mishExp(x: v128): v128 {
  return exp4(f32x4.pmin(x, f32x4.splat(20)));
}

// tanh(softplus(x)) = n / (n + 2) with n = e (e + 2), e = exp(x)
// @ts-expect-error: decorator
@inline
function tanhSoftplus(e: v128): v128 {
  const n = f32x4.mul(e, f32x4.add(e, f32x4.splat(2)));
  return f32x4.div(n, f32x4.add(n, f32x4.splat(2)));
}
