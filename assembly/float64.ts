// Float64 linear algebra for the least squares: the Gram matrix, its Cholesky factor, and solves
// with 16 right-hand sides at once.

const DEPTH: i32 = 128;

// C += A^T B with A (k x m) and B (k x n) float32, products and sums in float64; C (m x n) float64,
// rows cRow apart. Sums run over blocks of 128 rows in order. `scratch`: (m + 10) * 128 doubles.
export function outerF64(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: i32,
  b: usize,
  bRow: i32,
  c: usize,
  cRow: i32,
  scratch: usize,
): void {
  const sums = scratch + ((<usize>DEPTH) << 6);
  const packedA = sums + 128;
  const cBytes = (<usize>cRow) << 3;
  for (let from = 0; from < k; from += DEPTH) {
    const depth = min(DEPTH, k - from);
    packColumnPairs(a + (<usize>from * aRow << 2), aRow, m, depth, packedA);
    for (let j = 0; j < n; j += 8) {
      const used = min(8, n - j);
      packColumns8(b + ((<usize>from * bRow + j) << 2), bRow, depth, used, scratch);
      let strip = packedA;
      let tile = c + ((<usize>j) << 3);
      for (let i = 0; i < m; i += 2) {
        tile2x8(strip, scratch, depth, sums);
        addSums(sums, tile, used);
        if (i + 1 < m) addSums(sums + 64, tile + cBytes, used);
        strip += (<usize>depth) << 4;
        tile += cBytes << 1;
      }
    }
  }
}

// c (float64) += x (float32), n of each.
export function addToF64(c: usize, x: usize, n: i32): void {
  const end = c + ((<usize>(n & ~1)) << 3);
  while (c < end) {
    v128.store(c, f64x2.add(v128.load(c), f64x2.promote_low_f32x4(v128.load64_zero(x))));
    c += 16;
    x += 8;
  }
  if (n & 1) store<f64>(c, load<f64>(c) + <f64>load<f32>(x));
}

function packColumnPairs(a: usize, aRow: i32, m: i32, depth: i32, out: usize): void {
  const row = (<usize>aRow) << 2;
  for (let i = 0; i < m; i += 2) {
    let from = a + ((<usize>i) << 2);
    const both = i + 1 < m;
    for (let k = 0; k < depth; k++) {
      store<f64>(out, <f64>load<f32>(from));
      store<f64>(out, both ? <f64>load<f32>(from, 4) : 0, 8);
      from += row;
      out += 16;
    }
  }
}

function packColumns8(b: usize, bRow: i32, depth: i32, used: i32, out: usize): void {
  const row = (<usize>bRow) << 2;
  for (let k = 0; k < depth; k++) {
    if (used == 8) {
      v128.store(out, f64x2.promote_low_f32x4(v128.load64_zero(b)));
      v128.store(out, f64x2.promote_low_f32x4(v128.load64_zero(b, 8)), 16);
      v128.store(out, f64x2.promote_low_f32x4(v128.load64_zero(b, 16)), 32);
      v128.store(out, f64x2.promote_low_f32x4(v128.load64_zero(b, 24)), 48);
    } else {
      for (let j = 0; j < 8; j++)
        store<f64>(out + ((<usize>j) << 3), j < used ? <f64>load<f32>(b + ((<usize>j) << 2)) : 0);
    }
    b += row;
    out += 64;
  }
}

// Apart from sums2x16 of product-tiles.ts, whose two addresses cost 2 % here.
function tile2x8(strip: usize, panel: usize, depth: i32, sums: usize): void {
  let s00 = f64x2.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  const end = strip + ((<usize>depth) << 4);
  while (strip < end) {
    const x = v128.load64_splat(strip);
    const y = v128.load64_splat(strip, 8);
    const p0 = v128.load(panel);
    const p1 = v128.load(panel, 16);
    const p2 = v128.load(panel, 32);
    const p3 = v128.load(panel, 48);
    s00 = f64x2.add(s00, f64x2.mul(x, p0));
    s01 = f64x2.add(s01, f64x2.mul(x, p1));
    s02 = f64x2.add(s02, f64x2.mul(x, p2));
    s03 = f64x2.add(s03, f64x2.mul(x, p3));
    s10 = f64x2.add(s10, f64x2.mul(y, p0));
    s11 = f64x2.add(s11, f64x2.mul(y, p1));
    s12 = f64x2.add(s12, f64x2.mul(y, p2));
    s13 = f64x2.add(s13, f64x2.mul(y, p3));
    strip += 16;
    panel += 64;
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

// c += the first `used` of 8 sums.
function addSums(sums: usize, c: usize, used: i32): void {
  for (; used >= 2; used -= 2) {
    v128.store(c, f64x2.add(v128.load(c), v128.load(sums)));
    c += 16;
    sums += 16;
  }
  if (used) store<f64>(c, load<f64>(c) + load<f64>(sums));
}

// Cholesky factor in place: the lower triangle of the symmetric n x n matrix becomes L with L L^T =
// A. Only the lower triangle is read. Returns the smallest ratio of a pivot to its diagonal element
// before elimination; stops and returns it when not positive.
export function choleskyF64(a: usize, n: i32): f64 {
  const row = (<usize>n) << 3;
  let smallest: f64 = 1;
  for (let i = 0; i < n; i++) {
    const ai = a + <usize>i * row;
    for (let j = 0; j < i; j++) {
      const aj = a + <usize>j * row;
      const at = ai + ((<usize>j) << 3);
      store<f64>(at, (load<f64>(at) - dotF64(ai, aj, j)) / load<f64>(aj + ((<usize>j) << 3)));
    }
    const at = ai + ((<usize>i) << 3);
    const diagonal = load<f64>(at);
    const pivot = diagonal - dotF64(ai, ai, i);
    const ratio = diagonal > 0 ? pivot / diagonal : 0;
    smallest = min(smallest, ratio);
    if (!(ratio > 0)) return ratio < 0 ? ratio : 0;
    store<f64>(at, sqrt<f64>(pivot));
  }
  return smallest;
}

function dotF64(a: usize, b: usize, n: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  const end = a + ((<usize>(n & ~7)) << 3);
  while (a < end) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(a), v128.load(b)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(a, 16), v128.load(b, 16)));
    s2 = f64x2.add(s2, f64x2.mul(v128.load(a, 32), v128.load(b, 32)));
    s3 = f64x2.add(s3, f64x2.mul(v128.load(a, 48), v128.load(b, 48)));
    a += 64;
    b += 64;
  }
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  for (let rest = n & 7; rest > 0; rest--) {
    sum += load<f64>(a) * load<f64>(b);
    a += 8;
    b += 8;
  }
  return sum;
}

// Solves L L^T X = B in place for 16 right-hand sides: X is n rows of 16 doubles, xRow doubles
// apart.
export function choleskySolve16(l: usize, n: i32, x: usize, xRow: i32): void {
  const row = (<usize>n) << 3;
  const step = (<usize>xRow) << 3;
  // L Y = B, a row of Y at a time
  for (let i = 0; i < n; i++) {
    const li = l + <usize>i * row;
    const xi = x + <usize>i * step;
    let s0 = v128.load(xi);
    let s1 = v128.load(xi, 16);
    let s2 = v128.load(xi, 32);
    let s3 = v128.load(xi, 48);
    let s4 = v128.load(xi, 64);
    let s5 = v128.load(xi, 80);
    let s6 = v128.load(xi, 96);
    let s7 = v128.load(xi, 112);
    let at = li;
    const end = li + ((<usize>i) << 3);
    let xk = x;
    while (at < end) {
      const f = v128.load64_splat(at);
      s0 = f64x2.sub(s0, f64x2.mul(f, v128.load(xk)));
      s1 = f64x2.sub(s1, f64x2.mul(f, v128.load(xk, 16)));
      s2 = f64x2.sub(s2, f64x2.mul(f, v128.load(xk, 32)));
      s3 = f64x2.sub(s3, f64x2.mul(f, v128.load(xk, 48)));
      s4 = f64x2.sub(s4, f64x2.mul(f, v128.load(xk, 64)));
      s5 = f64x2.sub(s5, f64x2.mul(f, v128.load(xk, 80)));
      s6 = f64x2.sub(s6, f64x2.mul(f, v128.load(xk, 96)));
      s7 = f64x2.sub(s7, f64x2.mul(f, v128.load(xk, 112)));
      at += 8;
      xk += step;
    }
    const d = v128.load64_splat(at);
    v128.store(xi, f64x2.div(s0, d));
    v128.store(xi, f64x2.div(s1, d), 16);
    v128.store(xi, f64x2.div(s2, d), 32);
    v128.store(xi, f64x2.div(s3, d), 48);
    v128.store(xi, f64x2.div(s4, d), 64);
    v128.store(xi, f64x2.div(s5, d), 80);
    v128.store(xi, f64x2.div(s6, d), 96);
    v128.store(xi, f64x2.div(s7, d), 112);
  }
  // L^T X = Y from the last row up; each finished row is taken out of those above it, so that L is
  // read along its rows
  for (let i = n - 1; i >= 0; i--) {
    const li = l + <usize>i * row;
    const xi = x + <usize>i * step;
    const d = v128.load64_splat(li + ((<usize>i) << 3));
    const s0 = f64x2.div(v128.load(xi), d);
    const s1 = f64x2.div(v128.load(xi, 16), d);
    const s2 = f64x2.div(v128.load(xi, 32), d);
    const s3 = f64x2.div(v128.load(xi, 48), d);
    const s4 = f64x2.div(v128.load(xi, 64), d);
    const s5 = f64x2.div(v128.load(xi, 80), d);
    const s6 = f64x2.div(v128.load(xi, 96), d);
    const s7 = f64x2.div(v128.load(xi, 112), d);
    v128.store(xi, s0);
    v128.store(xi, s1, 16);
    v128.store(xi, s2, 32);
    v128.store(xi, s3, 48);
    v128.store(xi, s4, 64);
    v128.store(xi, s5, 80);
    v128.store(xi, s6, 96);
    v128.store(xi, s7, 112);
    let at = li;
    const end = li + ((<usize>i) << 3);
    let xk = x;
    while (at < end) {
      const f = v128.load64_splat(at);
      v128.store(xk, f64x2.sub(v128.load(xk), f64x2.mul(f, s0)));
      v128.store(xk, f64x2.sub(v128.load(xk, 16), f64x2.mul(f, s1)), 16);
      v128.store(xk, f64x2.sub(v128.load(xk, 32), f64x2.mul(f, s2)), 32);
      v128.store(xk, f64x2.sub(v128.load(xk, 48), f64x2.mul(f, s3)), 48);
      v128.store(xk, f64x2.sub(v128.load(xk, 64), f64x2.mul(f, s4)), 64);
      v128.store(xk, f64x2.sub(v128.load(xk, 80), f64x2.mul(f, s5)), 80);
      v128.store(xk, f64x2.sub(v128.load(xk, 96), f64x2.mul(f, s6)), 96);
      v128.store(xk, f64x2.sub(v128.load(xk, 112), f64x2.mul(f, s7)), 112);
      at += 8;
      xk += step;
    }
  }
}
