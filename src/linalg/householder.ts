/**
 * Step k of the tridiagonalisation: a reflection takes column k below the subdiagonal to zero and
 * is applied to the trailing block from both sides. Works on the lower triangle of `a`; the vector
 * u of the reflection is left in row k right of the diagonal.
 */
export function reflectColumn(
  a: Float64Array,
  n: number,
  k: number,
  diagonal: Float64Array,
  off: Float64Array,
  betas: Float64Array,
  p: Float64Array,
): void {
  const row = k * n;
  diagonal[k] = a[row + k];
  if (k === n - 1) return;
  const largest = copyColumn(a, n, k);
  if (largest === undefined) {
    off[k] = a[row + k + 1];
    return;
  }
  // u = x - alpha e1, scaled so that no square overflows or vanishes
  let square = 0;
  for (let i = k + 1; i < n; i++) {
    a[row + i] /= largest;
    square += a[row + i] * a[row + i];
  }
  const x0 = a[row + k + 1];
  const norm = x0 > 0 ? -Math.sqrt(square) : Math.sqrt(square);
  a[row + k + 1] = x0 - norm;
  const beta = 1 / (square - x0 * norm); // 2 / |u|^2
  off[k] = norm * largest;
  betas[k] = beta;
  multiplyByVector(a, n, k, p);
  applyReflection(a, n, k, beta, p);
}

/**
 * Copies column k below the diagonal into row k. Returns the largest of its magnitudes; undefined
 * where all below the subdiagonal is zero already.
 */
function copyColumn(a: Float64Array, n: number, k: number): number | undefined {
  let largest = 0;
  let reduced = true;
  for (let i = k + 1; i < n; i++) {
    const x = a[i * n + k];
    a[k * n + i] = x;
    if (Math.abs(x) > largest) largest = Math.abs(x);
    if (i > k + 1 && x !== 0) reduced = false;
  }
  return reduced ? undefined : largest;
}

/** p = A u from the lower triangle: each row serves as a row and as a column. */
function multiplyByVector(a: Float64Array, n: number, k: number, p: Float64Array): void {
  const row = k * n;
  p.fill(0, k + 1, n);
  for (let i = k + 1; i < n; i++) {
    const at = i * n;
    const ui = a[row + i];
    let sum = 0;
    for (let j = k + 1; j < i; j++) {
      sum += a[at + j] * a[row + j];
      p[j] += a[at + j] * ui;
    }
    p[i] += sum + a[at + i] * ui;
  }
}

/** A -= u q^T + q u^T with q = p - (beta / 2)(p . u) u and p = beta A u, for p = A u. */
function applyReflection(
  a: Float64Array,
  n: number,
  k: number,
  beta: number,
  p: Float64Array,
): void {
  const row = k * n;
  let pu = 0;
  for (let i = k + 1; i < n; i++) {
    p[i] *= beta;
    pu += p[i] * a[row + i];
  }
  const half = (beta / 2) * pu;
  for (let i = k + 1; i < n; i++) p[i] -= half * a[row + i];
  for (let i = k + 1; i < n; i++) {
    const at = i * n;
    const ui = a[row + i];
    const qi = p[i];
    for (let j = k + 1; j <= i; j++) a[at + j] -= ui * p[j] + qi * a[row + j];
  }
}

/** z <- z (I - beta u u^T) with u in row k of `a`; rows and columns up to k are not concerned. */
export function reflectRows(
  z: Float64Array,
  a: Float64Array,
  n: number,
  k: number,
  beta: number,
): void {
  const row = k * n;
  for (let i = k + 1; i < n; i++) {
    const at = i * n;
    let sum = 0;
    for (let j = k + 1; j < n; j++) sum += z[at + j] * a[row + j];
    sum *= beta;
    for (let j = k + 1; j < n; j++) z[at + j] -= sum * a[row + j];
  }
}
