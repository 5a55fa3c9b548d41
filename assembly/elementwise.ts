// Sums over rows, the squared error and Adam.

// out[j] (+)= sum over rows of x[r][j], in the order of the rows.
export function sumRows(x: usize, rows: i32, n: i32, xRow: i32, accumulate: i32, out: usize): void {
  const row = (<usize>xRow) << 2;
  let j = 0;
  for (; j + 8 <= n; j += 8) {
    let s0 = accumulate ? v128.load(out) : f32x4.splat(0);
    let s1 = accumulate ? v128.load(out, 16) : f32x4.splat(0);
    let at = x;
    for (let r = 0; r < rows; r++) {
      s0 = f32x4.add(s0, v128.load(at));
      s1 = f32x4.add(s1, v128.load(at, 16));
      at += row;
    }
    v128.store(out, s0);
    v128.store(out, s1, 16);
    x += 32;
    out += 32;
  }
  for (; j < n; j++) {
    let s: f32 = accumulate ? load<f32>(out) : 0;
    let at = x;
    for (let r = 0; r < rows; r++) {
      s += load<f32>(at);
      at += row;
    }
    store<f32>(out, s);
    x += 4;
    out += 4;
  }
}

// out[j] = sum over rows of x[r][j] * y[r][j], both with rows `row` values apart.
export function sumProducts(x: usize, y: usize, rows: i32, n: i32, row: i32, out: usize): void {
  const bytes = (<usize>row) << 2;
  let j = 0;
  for (; j + 16 <= n; j += 16) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let a = x;
    let b = y;
    for (let r = 0; r < rows; r++) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(a), v128.load(b)));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
      s2 = f32x4.add(s2, f32x4.mul(v128.load(a, 32), v128.load(b, 32)));
      s3 = f32x4.add(s3, f32x4.mul(v128.load(a, 48), v128.load(b, 48)));
      a += bytes;
      b += bytes;
    }
    v128.store(out, s0);
    v128.store(out, s1, 16);
    v128.store(out, s2, 32);
    v128.store(out, s3, 48);
    x += 64;
    y += 64;
    out += 64;
  }
  for (; j < n; j++) {
    let s: f32 = 0;
    let a = x;
    let b = y;
    for (let r = 0; r < rows; r++) {
      s += load<f32>(a) * load<f32>(b);
      a += bytes;
      b += bytes;
    }
    store<f32>(out, s);
    x += 4;
    y += 4;
    out += 4;
  }
}

// x[r][j] += bias[j]
export function addBias(x: usize, rows: i32, n: i32, bias: usize): void {
  for (let r = 0; r < rows; r++) {
    let b = bias;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      v128.store(x, f32x4.add(v128.load(x), v128.load(b)));
      x += 16;
      b += 16;
    }
    for (; j < n; j++) {
      store<f32>(x, load<f32>(x) + load<f32>(b));
      x += 4;
      b += 4;
    }
  }
}

// x = (x - shift) * scale
export function standardise(x: usize, n: i32, shift: f32, scale: f32): void {
  const end = x + ((<usize>n) << 2);
  for (; x + 16 <= end; x += 16)
    v128.store(x, f32x4.mul(f32x4.sub(v128.load(x), f32x4.splat(shift)), f32x4.splat(scale)));
  for (; x < end; x += 4) store<f32>(x, (load<f32>(x) - shift) * scale);
}

// x[r * row + c] = x * (rowFactors[r] * columnFactors[c]) + rowShifts[r]
export function dequantise(
  x: usize,
  rows: i32,
  columns: i32,
  row: i32,
  rowFactors: usize,
  columnFactors: usize,
  rowShifts: usize,
): void {
  for (let r = 0; r < rows; r++) {
    const factor = load<f32>(rowFactors + ((<usize>r) << 2));
    const shift = load<f32>(rowShifts + ((<usize>r) << 2));
    for (let c: usize = 0; c < (<usize>columns) << 2; c += 4) {
      store<f32>(x + c, load<f32>(x + c) * (factor * load<f32>(columnFactors + c)) + shift);
    }
    x += (<usize>row) << 2;
  }
}

// x *= y
export function multiply(x: usize, y: usize, n: i32): void {
  const end = x + ((<usize>n) << 2);
  for (; x + 16 <= end; x += 16, y += 16) v128.store(x, f32x4.mul(v128.load(x), v128.load(y)));
  for (; x < end; x += 4, y += 4) store<f32>(x, load<f32>(x) * load<f32>(y));
}

// Sum of (prediction - target)^2; predictions become their gradients, (prediction - target) *
// scale.
export function squaredError(prediction: usize, target: usize, n: i32, scale: f32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const d = f32x4.sub(v128.load(prediction), v128.load(target));
    const square = f32x4.mul(d, d);
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(square));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.shuffle<f32>(square, square, 2, 3, 2, 3)));
    v128.store(prediction, f32x4.mul(d, f32x4.splat(scale)));
    prediction += 16;
    target += 16;
  }
  const s = f64x2.add(s0, s1);
  let total = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  for (; i < n; i++) {
    const d = load<f32>(prediction) - load<f32>(target);
    total += <f64>(d * d);
    store<f32>(prediction, d * scale);
    prediction += 4;
    target += 4;
  }
  return total;
}

export function sumSquares(x: usize, n: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  const end = x + ((<usize>(n & ~3)) << 2);
  for (; x < end; x += 16) {
    const a = f64x2.promote_low_f32x4(v128.load64_zero(x));
    const b = f64x2.promote_low_f32x4(v128.load64_zero(x, 8));
    s0 = f64x2.add(s0, f64x2.mul(a, a));
    s1 = f64x2.add(s1, f64x2.mul(b, b));
  }
  const s = f64x2.add(s0, s1);
  let total = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  for (let rest = n & 3; rest > 0; rest--, x += 4) total += <f64>load<f32>(x) * <f64>load<f32>(x);
  return total;
}

// Adam (Kingma and Ba) with the gradient scaled by gradScale (the clipping factor); correction1 = 1
// - beta1^t, correction2 = 1 - beta2^t are folded into rate = lr / correction1 and root =
// sqrt(correction2): p -= rate m / (sqrt(v) / root + eps), as rate root m / (sqrt(v) + eps root),
// which takes one division: the divider is what limits this loop.
export function adam(
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  n: i32,
  gradScale: f32,
  rate: f32,
  beta1: f32,
  beta2: f32,
  root: f32,
  eps: f32,
): void {
  const size = rate * root;
  const least = eps * root;
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const ga = f32x4.mul(v128.load(g), f32x4.splat(gradScale));
    const gb = f32x4.mul(v128.load(g, 16), f32x4.splat(gradScale));
    const ma = moment(v128.load(m), beta1, ga);
    const mb = moment(v128.load(m, 16), beta1, gb);
    const va = moment(v128.load(v), beta2, f32x4.mul(ga, ga));
    const vb = moment(v128.load(v, 16), beta2, f32x4.mul(gb, gb));
    v128.store(m, ma);
    v128.store(m, mb, 16);
    v128.store(v, va);
    v128.store(v, vb, 16);
    v128.store(p, f32x4.sub(v128.load(p), stepOf(ma, va, size, least)));
    v128.store(p, f32x4.sub(v128.load(p, 16), stepOf(mb, vb, size, least)), 16);
    p += 32;
    g += 32;
    m += 32;
    v += 32;
  }
  for (; i < n; i++) {
    const grad = load<f32>(g) * gradScale;
    const first = load<f32>(m) * beta1 + grad * (1 - beta1);
    const second = load<f32>(v) * beta2 + grad * grad * (1 - beta2);
    store<f32>(m, first);
    store<f32>(v, second);
    store<f32>(p, load<f32>(p) - (first * size) / (sqrt<f32>(second) + least));
    p += 4;
    g += 4;
    m += 4;
    v += 4;
  }
}

// m beta + x (1 - beta)
// @ts-expect-error: decorator
@inline
function moment(m: v128, beta: f32, x: v128): v128 {
  return f32x4.add(f32x4.mul(m, f32x4.splat(beta)), f32x4.mul(x, f32x4.splat(1 - beta)));
}

// @ts-expect-error: decorator
@inline
function stepOf(m: v128, v: v128, size: f32, least: f32): v128 {
  return f32x4.div(
    f32x4.mul(m, f32x4.splat(size)),
    f32x4.add(f32x4.sqrt(v), f32x4.splat(least)),
  );
}
