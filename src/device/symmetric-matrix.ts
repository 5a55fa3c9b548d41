import type { RunOptions } from '../run-options.js';

/**
 * A symmetric matrix n x n on the device, or its Cholesky factor, in whatever precision the device
 * keeps them; outside of it they are float64, row-major, of which the lower triangle counts.
 */
export interface SymmetricMatrix {
  readonly n: number;
  read(): Promise<Float64Array>;
  write(values: Float64Array): Promise<void>;
  /**
   * Turns the matrix into its Cholesky factor, in place. Returns the smallest ratio of a pivot to
   * its diagonal element; not positive: no factor.
   */
  factorise(): Promise<number>;
  /** Of a factor L: (L L^T)^-1 b for each row b of m x n, in float64. */
  solve(rows: Float32Array, options?: RunOptions): Promise<Float32Array>;
  /** Gives back what it keeps. */
  close(): void;
}
