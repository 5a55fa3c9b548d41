/** The kernels of near tokens, as `Kernels` has all. */
export interface NearKernels {
  /**
   * The products of maxDotsI16 over near tokens alone: each panel has a lane of `centres` (16 at
   * most), and looks at the nearest[d] tokens of document d with the largest products with it, or
   * few more; `scratch`: 128 + 68 (count + 1) bytes for the longest document.
   */
  nearDotsI16(
    panels: number,
    lanes: number,
    centres: number,
    dim: number,
    tokens: number,
    counts: number,
    nearest: number,
    documents: number,
    out: number,
    outStride: number,
    scratch: number,
  ): void;
}
