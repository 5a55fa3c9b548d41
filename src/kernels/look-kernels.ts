/**
 * The kernels of a first look at int8 tokens by lanes of 7 bits, as `Kernels` has all: those that
 * take relaxed SIMD instructions. Dimensions are a multiple of 16, codes of tokens -127 .. 127.
 */
export interface LookKernels {
  /**
   * Codes of int16 rows, divided by `step` and rounded, plus 64, to panels of 16 or 8 lanes:
   * out[panel][k / 4][lane][k % 4], missing lanes 64. Quotients are within -63 .. 63, the step
   * above 1. errors[r], int32: sum of the squares of what rounding has left of row r.
   */
  packLanesU7(
    codes: number,
    rows: number,
    dim: number,
    step: number,
    out: number,
    errors: number,
  ): void;
  /**
   * offsets[t], int32: -64 times the sum of the codes of token t; norms[d], int32: the largest sum
   * of squares of a token of document d.
   */
  sumTokensI8(
    tokens: number,
    dim: number,
    counts: number,
    documents: number,
    offsets: number,
    norms: number,
  ): void;
  /**
   * The products of maxDotsI16 for lanes of `packLanesU7`, without their 64, and int8 tokens with
   * offsets of `sumTokensI8`.
   */
  maxDotsU7(
    panels: number,
    lanes: number,
    dim: number,
    tokens: number,
    offsets: number,
    counts: number,
    documents: number,
    out: number,
    outStride: number,
    best: number,
  ): void;
}

/** What 64 is added to before lanes are multiplied. */
export const LOOK_SHIFT = 64;
/** Largest quotient of a lane. */
export const LOOK_LIMIT = 63;

/** Lanes of the next panel of a first look when so many are left. */
export function lookWidth(left: number): number {
  return left > 8 ? 16 : 8;
}

/** Lanes in panels of `lookWidth`, the padding included. */
export function lookLanes(count: number): number {
  return Math.ceil(count / 8) * 8;
}
