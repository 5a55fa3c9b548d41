/** Texts as token ids, one after the other without padding. */
export interface IdBatch {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  /** How many tokens of each text, from its first on, all its tokens look at. */
  readonly attended: Int32Array;
}

/** What a body computes of a batch. */
export interface BodyOutput {
  /**
   * sum(lengths) x dim: last hidden states of all tokens, after the dense layers where there are
   * some; not normalised.
   */
  readonly states: Float32Array;
  /**
   * texts x hidden: means of each text's last hidden states before the dense layers, not
   * normalised; empty where nobody asked for it.
   */
  readonly pooled: Float32Array;
}

/** A linear map of the last hidden states: hidden x dim, row-major, no bias. */
export interface Projection {
  /** Row after row, hidden x dim. */
  readonly matrix: Float32Array;
  /** Dimension that it leads to. */
  readonly dim: number;
}

/** A transformer ready to run; one batch at a time. A batch's texts do not influence each other. */
export interface Body {
  run(batch: IdBatch, pooled: boolean): Promise<BodyOutput>;
}

/** What runs batches, one after the other; more wait their turn. */
export interface BodyRunner {
  /** The most tokens of a batch, longest text x texts. */
  readonly batchTokens: number;
  run(batch: IdBatch, pooled: boolean): Promise<BodyOutput>;
  close(): Promise<void>;
}

/** Means of each text's rows: lengths.length x width. `states` is sum(lengths) x width. */
export function meanPool(states: Float32Array, lengths: Int32Array, width: number): Float32Array {
  const out = new Float32Array(lengths.length * width);
  let row = 0;
  for (let text = 0; text < lengths.length; text++) {
    const at = text * width;
    for (const end = row + lengths[text]; row < end; row++) {
      for (let c = 0; c < width; c++) out[at + c] += states[row * width + c];
    }
    for (let c = 0; c < width; c++) out[at + c] /= lengths[text];
  }
  return out;
}
