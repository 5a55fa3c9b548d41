import type { LookKernels } from './look-kernels.js';
import type { NearKernels } from './near-kernels.js';

/**
 * The kernels: pure functions over one linear memory. Every address is a byte offset into `memory`,
 * 4-byte aligned for float32 and int32, 8 for float64; every count and stride is in elements.
 * Matrices are row-major. Nothing is allocated and nothing is checked: callers have passed the
 * gate. Two implementations, `plain/` (the specification) and `assembly/` (WASM SIMD), answer to
 * one conformance suite; those of a first look are there where they are fast.
 */
export interface Kernels extends NearKernels, Partial<LookKernels> {
  /**
   * Rows x dim float32 to panels of `panelWidth` rows, one after the other: out[panel][k][lane],
   * missing lanes zero.
   */
  packLanesF32(x: number, rows: number, dim: number, out: number): void;
  /**
   * The same for int16 rows, dim even, in panels of pairs: out[panel][k / 2][lane][k % 2], missing
   * lanes zero.
   */
  packLanesI16(x: number, rows: number, dim: number, out: number): void;
  /** The same in panels of 16 throughout, for `gemmI16`. */
  packPanelsI16(x: number, rows: number, dim: number, out: number): void;
  /**
   * Columns of rows x n int16, rows even(n) apart: out[panel][r / 2][lane][r % 2], panels of
   * outRows rows; a missing row or column is zero.
   */
  packPairsI16(x: number, rows: number, n: number, out: number, outRows: number): void;
  /** Rows x dim int8 to rows x even(dim) int16. */
  widenI8(x: number, rows: number, dim: number, out: number): void;
  /**
   * Rows x dim float32, times columnFactors[k] unless that is 0, to rows x even(dim) int16: each
   * row's largest absolute value becomes `limit`; factors[r] is what its codes are worth.
   */
  quantizeRowsI16(
    x: number,
    rows: number,
    dim: number,
    limit: number,
    columnFactors: number,
    out: number,
    factors: number,
  ): void;
  /**
   * Columns of rows x n float32, rows xRow apart, times rowFactors[r], to n x even(rows) int16;
   * factors[j] is what column j's codes are worth.
   */
  quantizeColumnsI16(
    x: number,
    rows: number,
    n: number,
    xRow: number,
    rowFactors: number,
    limit: number,
    out: number,
    factors: number,
  ): void;
  /**
   * out[x * outStride + d] = max over the tokens of document d of <lane x, token>; `counts` int32
   * tokens a document, none zero; `best`: 64 bytes of scratch.
   */
  maxDotsF32(
    panels: number,
    lanes: number,
    dim: number,
    tokens: number,
    counts: number,
    documents: number,
    out: number,
    outStride: number,
    best: number,
  ): void;
  /** The same for int16 lanes and widened int8 tokens; dim even; exact in int32, then float32. */
  maxDotsI16(
    panels: number,
    lanes: number,
    dim: number,
    tokens: number,
    counts: number,
    documents: number,
    out: number,
    outStride: number,
    best: number,
  ): void;
  /**
   * The same for int16 tokens with a scale each: max of scale * <lane, token>, float32 of the exact
   * sum, then times the scale.
   */
  maxDotsScaledI16(
    panels: number,
    lanes: number,
    dim: number,
    tokens: number,
    scales: number,
    counts: number,
    documents: number,
    out: number,
    outStride: number,
    best: number,
  ): void;
  /**
   * Rows of a scale (the upper half of a float32) and `bytes` bytes of codes of `bits` bits, 2 or
   * 4, to int16 rows of bytes * 8 / bits levels and float32 scales. Byte b holds values b, b +
   * bytes, ..., the first in its lowest bits. `levels`: 16 int8. Rows need no alignment.
   */
  unpackLevels(
    rows: number,
    tokens: number,
    bytes: number,
    bits: number,
    levels: number,
    out: number,
    scales: number,
  ): void;
  /**
   * Rows x dim float32, rotated, to rows outRow apart, zero behind dim. Each round turns the signs
   * of values whose own is negative (`signs`: rounds x dim) and takes the Hadamard transform,
   * divided by its size's root, of the first 2^n values, in odd rounds of the last; 2^n <= dim.
   */
  rotateRows(
    x: number,
    rows: number,
    dim: number,
    signs: number,
    rounds: number,
    out: number,
    outRow: number,
  ): void;
  /**
   * C (m x n) = or += A (m x k) B (k x n); element (i, j) of A at a[i * aRow + j * aCol], B
   * likewise; `scratch`: (m + 18) * 256 floats.
   */
  gemmF32(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    bCol: number,
    c: number,
    cRow: number,
    accumulate: number,
    scratch: number,
  ): void;
  /** int8 codes of n float32: x times scale, rounded, within -127 .. 127. */
  quantizeI8(x: number, n: number, scale: number, out: number): void;
  /** The largest absolute value of n float32. */
  largestAbs(x: number, n: number): number;
  /**
   * C (m x n float32) = A B: A m x k codes with a factor for each row, B in panels of pairs
   * (`packPanelsI16`, `packPairsI16`) with a factor for each column, or none (0); k even. Codes up
   * to 2047: products are summed exactly in int32 over 512 dimensions, then in float32. `sums`:
   * 128 bytes of scratch.
   */
  gemmI16(
    m: number,
    n: number,
    k: number,
    a: number,
    aFactors: number,
    panels: number,
    bFactors: number,
    c: number,
    cRow: number,
    sums: number,
  ): void;
  /**
   * C (m x n float64) += A^T B, A (k x m) and B (k x n) float32, sums in float64; `scratch`: (m +
   * 10) * 128 doubles.
   */
  outerF64(
    m: number,
    n: number,
    k: number,
    a: number,
    aRow: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
    scratch: number,
  ): void;
  /** c (n float64) += x (n float32). */
  addToF64(c: number, x: number, n: number): void;
  /**
   * Lower triangle of A (n x n float64) to L with L L^T = A. Returns the smallest ratio of pivot to
   * diagonal; 0 or less: it stopped there.
   */
  choleskyF64(a: number, n: number): number;
  /** X (n rows of 16 float64, xRow apart) := (L L^T)^-1 X. */
  choleskySolve16(l: number, n: number, x: number, xRow: number): void;
  /**
   * out = f(x) and, unless `slope` is 0, slope = f'(x); both may be x. Kind 0 gelu (erf), 1 relu, 2
   * silu, 3 mish; works on groups of four, so buffers reach to the next multiple of 4.
   */
  activation(kind: number, x: number, n: number, out: number, slope: number): void;
  /** x *= y. */
  multiply(x: number, y: number, n: number): void;
  /**
   * normal = (x - mean) / sqrt(variance + eps) by rows, inverse[r] = 1 / sqrt(...); with gamma != 0
   * also out = normal * gamma + beta.
   */
  layerNorm(
    x: number,
    rows: number,
    n: number,
    eps: number,
    gamma: number,
    beta: number,
    normal: number,
    inverse: number,
    out: number,
  ): void;
  /** Gradient of the input from the gradient of the output; dx may be dOut. */
  layerNormBackward(
    dOut: number,
    rows: number,
    n: number,
    gamma: number,
    normal: number,
    inverse: number,
    dx: number,
  ): void;
  /** out[j] = or += sum over rows of x[r * xRow + j]. */
  sumRows(x: number, rows: number, n: number, xRow: number, accumulate: number, out: number): void;
  /** out[j] = sum over rows of x[r * row + j] * y[r * row + j]. */
  sumProducts(x: number, y: number, rows: number, n: number, row: number, out: number): void;
  /** x[r][j] += bias[j]. */
  addBias(x: number, rows: number, n: number, bias: number): void;
  /** x = (x - shift) * scale. */
  standardise(x: number, n: number, shift: number, scale: number): void;
  /**
   * x[r * row + c] = x * rowFactors[r] * columnFactors[c] + rowShifts[r]: products of codes to
   * products of values.
   */
  dequantise(
    x: number,
    rows: number,
    columns: number,
    row: number,
    rowFactors: number,
    columnFactors: number,
    rowShifts: number,
  ): void;
  /** Returns the sum of (prediction - target)^2; prediction := (prediction - target) * scale. */
  squaredError(prediction: number, target: number, n: number, scale: number): number;
  /** Sum of squares in float64. */
  sumSquares(x: number, n: number): number;
  /** One step of Adam: g *= gradScale; m, v updated; p -= rate m / (sqrt(v) / root + eps). */
  adam(
    p: number,
    g: number,
    m: number,
    v: number,
    n: number,
    gradScale: number,
    rate: number,
    beta1: number,
    beta2: number,
    root: number,
    eps: number,
  ): void;
  /** out[i] = <q, rows[i]>, float32. */
  scanF32(q: number, rows: number, count: number, dim: number, out: number): void;
  /** out[i] = <q, rows[i]>, q int16, rows int8: exact in int32, then float32. */
  scanI8(q: number, rows: number, count: number, dim: number, out: number): void;
}

/** Activations in the order of their numbers in the kernels. */
export const ACTIVATIONS: readonly ['gelu', 'relu', 'silu', 'mish'] = [
  'gelu',
  'relu',
  'silu',
  'mish',
];
/** What comes behind a layer of the feature map: gelu (with erf), relu, silu or mish. */
export type Activation = (typeof ACTIVATIONS)[number];

/** Lanes of a whole panel. */
export const LANES = 16;

/** `count` rounded up to whole panels. */
export function wholePanels(count: number): number {
  return Math.ceil(count / LANES) * LANES;
}

/** Lanes of the next panel of MaxSim when so many are left: 16, 8 or 4. */
export function panelWidth(left: number): number {
  return left > 12 ? LANES : left > 4 ? 8 : 4;
}

/** Lanes in panels of `panelWidth`, the padding included. */
export function packedLanes(count: number): number {
  return Math.ceil(count / 4) * 4;
}
