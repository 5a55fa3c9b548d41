/** Mean and population deviation of the targets that a feature map is learned from. */
export interface TargetMoments {
  readonly mean: number;
  readonly std: number;
}

/**
 * Moments of n numbers by their sums. Constant targets count as of deviation 1, so that they
 * standardise to zero.
 */
export function momentsOfSums(sum: number, sumSquares: number, n: number): TargetMoments {
  const mean = sum / n;
  const variance = sumSquares / n - mean * mean;
  return { mean, std: variance > 1e-12 * (1 + mean * mean) ? Math.sqrt(variance) : 1 };
}
