/**
 * out (m x n) += a^T b in float64, for a (depth x m) and b (depth x n), all row-major; m and n are
 * multiples of 4 (pad with zeros). With `upper`, for m = n, tiles below the diagonal are left out.
 * Each value adds its products in the order of the rows.
 */
export function addTransposedProduct(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  depth: number,
  m: number,
  n: number,
  upper = false,
): void {
  for (let i = 0; i < m; i += 4) {
    for (let j = upper ? i : 0; j < n; j += 4) addTile(a, i, m, b, j, n, out, i * n + j, depth);
  }
}

/** One tile of 4 x 4 values, held in registers over all rows. */
function addTile(
  a: Float64Array,
  aAt: number,
  aStride: number,
  b: Float64Array,
  bAt: number,
  bStride: number,
  out: Float64Array,
  outAt: number,
  depth: number,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  for (let r = 0; r < depth; r++, aAt += aStride, bAt += bStride) {
    const b0 = b[bAt];
    const b1 = b[bAt + 1];
    const b2 = b[bAt + 2];
    const b3 = b[bAt + 3];
    const a0 = a[aAt];
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = a[aAt + 1];
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = a[aAt + 2];
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = a[aAt + 3];
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  out[outAt] += s00;
  out[outAt + 1] += s01;
  out[outAt + 2] += s02;
  out[outAt + 3] += s03;
  outAt += bStride;
  out[outAt] += s10;
  out[outAt + 1] += s11;
  out[outAt + 2] += s12;
  out[outAt + 3] += s13;
  outAt += bStride;
  out[outAt] += s20;
  out[outAt + 1] += s21;
  out[outAt + 2] += s22;
  out[outAt + 3] += s23;
  outAt += bStride;
  out[outAt] += s30;
  out[outAt + 1] += s31;
  out[outAt + 2] += s32;
  out[outAt + 3] += s33;
}
