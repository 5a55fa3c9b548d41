// Activations by the numbers of src/kernels/kernels.ts (gelu, relu, silu, mish) and their slopes.

// 1 - erf(x) for x >= 0, relative error below 1.2e-7 (a Chebyshev fit).
fn erfc(x: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * x);
  let s = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
    + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223
    + t * 0.17087277))))))));
  return t * exp(s - x * x);
}

fn normalCdf(x: f32) -> f32 {
  let tail = 0.5 * erfc(abs(x) * 0.70710678);
  return select(tail, 1.0 - tail, x >= 0.0);
}

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0)));
}

// tanh(ln(1 + e^x)), by e^x alone
fn tanhSoftplus(x: f32) -> f32 {
  let e = exp(min(x, 20.0));
  let n = e * (e + 2.0);
  return n / (n + 2.0);
}

fn activate(kind: u32, x: f32) -> f32 {
  switch kind {
    case 0u: { return x * normalCdf(x); }
    case 1u: { return max(x, 0.0); }
    case 2u: { return x * sigmoid(x); }
    default: { return x * tanhSoftplus(x); }
  }
}

fn slope(kind: u32, x: f32) -> f32 {
  switch kind {
    case 0u: { return normalCdf(x) + x * exp(-0.5 * x * x) * 0.39894228; }
    case 1u: { return select(0.0, 1.0, x > 0.0); }
    case 2u: {
      let s = sigmoid(x);
      return s * (1.0 + x * (1.0 - s));
    }
    default: {
      let t = tanhSoftplus(x);
      return t + x * sigmoid(x) * (1.0 - t * t);
    }
  }
}
