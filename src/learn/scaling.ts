/**
 * How rows of W become alike in size: base + (w - base) / scale, a scale for each row; null: as
 * they are.
 */
export interface Scaling {
  readonly scales: Float32Array | null;
  /** Weights of a document that is zero, d' values. */
  readonly base: Float32Array | null;
}

export const UNSCALED: Scaling = { scales: null, base: null };
