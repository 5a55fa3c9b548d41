import type { Tensor } from './memory.js';

/**
 * Document weights as the first stage reads them: what `encodeRows` makes, or put together from
 * what it made before: upload the prefix (`resident`: every query reads all of it) and the scales,
 * attach or upload the full codes, upload the checks. Over several segments `prefix` and `full` are
 * joined from theirs, `scales` and `checks` plain tensors of all rows.
 */
export interface DeviceCodes {
  readonly rows: number;
  /** d'. */
  readonly dim: number;
  readonly prefixDim: number;
  /** rows x prefixDim: the leading coordinates of the balanced weights, all by one scale. */
  readonly prefix: Tensor<'i8'>;
  /** rows x d': the centred weights, each row by a scale of its own. */
  readonly full: Tensor<'i8'>;
  /** What a code of each row of `full` is worth. */
  readonly scales: Tensor<'f32'>;
  /**
   * CRC-32 of each row of `full`, as int32, which rows that are read from a file are held to;
   * null: nothing is checked.
   */
  readonly checks: Tensor<'i32'> | null;
  /**
   * Where the codes of some rows are of other rows u than those of W: w = base + length (u - base).
   * Default null: of none.
   */
  readonly lengths?: CodeLengths | null | undefined;
}

/** Relative lengths of documents, which their codes know nothing of. */
export interface CodeLengths {
  /** How many times as long as a typical document's the vectors of each row's are, at least 0. */
  readonly relative: Tensor<'f32'>;
  /** What a code of a prefix is worth. */
  readonly step: number;
}

/** All that the codes keep on the device. */
export function codeTensors({ prefix, full, scales, checks, lengths }: DeviceCodes): Tensor[] {
  return [prefix, full, scales, checks, lengths?.relative ?? null].filter(
    (tensor) => tensor !== null,
  );
}
