/**
 * How rows of W become alike in size: base + (w - base) / length, a relative length for each row;
 * null: as they are.
 */
export interface Scaling {
  readonly lengths: Float32Array | null;
  /** Weights of a document that is zero, d' values. */
  readonly base: Float32Array | null;
}

export const UNSCALED: Scaling = { lengths: null, base: null };
