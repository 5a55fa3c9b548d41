// LayerNorm over the last dimension, population variance. normal[r] = (x[r] - mean) * inverse[r],
// inverse = 1 / sqrt(variance + eps).

// out = normal * gamma + beta; gamma = 0 (no pointer) leaves out alone and only `normal` is
// written, which may be x itself.
export function layerNorm(
  x: usize,
  rows: i32,
  n: i32,
  eps: f32,
  gamma: usize,
  beta: usize,
  normal: usize,
  inverse: usize,
  out: usize,
): void {
  const bytes = (<usize>n) << 2;
  for (let r = 0; r < rows; r++) {
    const mean = <f32>(sum(x, n) / <f64>n);
    const variance = squaredDeviations(x, n, mean) / <f64>n;
    const scale = <f32>(1 / Math.sqrt(variance + <f64>eps));
    store<f32>(inverse + ((<usize>r) << 2), scale);
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const v = f32x4.mul(f32x4.sub(v128.load(x + i), f32x4.splat(mean)), f32x4.splat(scale));
      v128.store(normal + i, v);
      if (gamma)
        v128.store(out + i, f32x4.add(f32x4.mul(v, v128.load(gamma + i)), v128.load(beta + i)));
    }
    for (; i < bytes; i += 4) {
      const v = (load<f32>(x + i) - mean) * scale;
      store<f32>(normal + i, v);
      if (gamma) store<f32>(out + i, v * load<f32>(gamma + i) + load<f32>(beta + i));
    }
    x += bytes;
    normal += bytes;
    out += bytes;
  }
}

// dx = inverse * (g - mean(g) - normal * mean(g * normal)) with g = dOut * gamma, a row at a time;
// dx may be dOut.
export function layerNormBackward(
  dOut: usize,
  rows: i32,
  n: i32,
  gamma: usize,
  normal: usize,
  inverse: usize,
  dx: usize,
): void {
  const bytes = (<usize>n) << 2;
  for (let r = 0; r < rows; r++) {
    let sumG = f32x4.splat(0);
    let sumGx = f32x4.splat(0);
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const g = f32x4.mul(v128.load(dOut + i), v128.load(gamma + i));
      sumG = f32x4.add(sumG, g);
      sumGx = f32x4.add(sumGx, f32x4.mul(g, v128.load(normal + i)));
    }
    let meanG = addLanes(sumG);
    let meanGx = addLanes(sumGx);
    for (; i < bytes; i += 4) {
      const g = load<f32>(dOut + i) * load<f32>(gamma + i);
      meanG += g;
      meanGx += g * load<f32>(normal + i);
    }
    meanG /= <f32>n;
    meanGx /= <f32>n;
    const scale = load<f32>(inverse + ((<usize>r) << 2));
    for (i = 0; i + 16 <= bytes; i += 16) {
      const g = f32x4.mul(v128.load(dOut + i), v128.load(gamma + i));
      const v = f32x4.sub(
        f32x4.sub(g, f32x4.splat(meanG)),
        f32x4.mul(v128.load(normal + i), f32x4.splat(meanGx)),
      );
      v128.store(dx + i, f32x4.mul(v, f32x4.splat(scale)));
    }
    for (; i < bytes; i += 4) {
      const g = load<f32>(dOut + i) * load<f32>(gamma + i);
      store<f32>(dx + i, scale * (g - meanG - load<f32>(normal + i) * meanGx));
    }
    dOut += bytes;
    normal += bytes;
    dx += bytes;
  }
}

function sum(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  const end = x + ((<usize>(n & ~3)) << 2);
  for (; x < end; x += 16) {
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v128.load64_zero(x)));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)));
  }
  const s = f64x2.add(s0, s1);
  let total = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  for (let rest = n & 3; rest > 0; rest--, x += 4) total += <f64>load<f32>(x);
  return total;
}

function squaredDeviations(x: usize, n: i32, mean: f32): f64 {
  let s = f32x4.splat(0);
  const end = x + ((<usize>(n & ~3)) << 2);
  for (; x < end; x += 16) {
    const v = f32x4.sub(v128.load(x), f32x4.splat(mean));
    s = f32x4.add(s, f32x4.mul(v, v));
  }
  let total = <f64>addLanes(s);
  for (let rest = n & 3; rest > 0; rest--, x += 4) {
    const v = load<f32>(x) - mean;
    total += <f64>(v * v);
  }
  return total;
}

// @ts-expect-error: decorator
@inline
function addLanes(s: v128): f32 {
  return (
    f32x4.extract_lane(s, 0) +
    f32x4.extract_lane(s, 1) +
    (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3))
  );
}
