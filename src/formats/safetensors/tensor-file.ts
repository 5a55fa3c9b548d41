import { invalidArgument } from '../../errors.js';
import { describeKind, showValue } from '../../value-kind.js';
import type { SafetensorsTensor } from './safetensors-header.js';

/** Which part of a tensor is read. */
export interface TensorReadOptions {
  /**
   * Rows along the first dimension, from the first number up to before the second; default: all.
   */
  rows?: readonly [number, number] | undefined;
  /** Stops the call, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Named tensors whose values are read when they are asked for, whatever the file's format: a
 * `SafetensorsFile` is one, and so are what `openTorchTensors` and `joinTensorFiles` give.
 */
export interface TensorFile {
  /** Types and shapes by name. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /**
   * A tensor, or rows of it, as float32, row-major, whatever its floating-point type (F64 is
   * rounded). Rejects with 'bad-file' (no such tensor, one of another type, a file that is damaged
   * or truncated), 'invalid-argument' (rows out of range), 'unsupported' (more values than the
   * platform has room for), or the signal's reason.
   */
  readFloats(name: string, options?: TensorReadOptions): Promise<Float32Array>;
}

/**
 * The rows that are asked for, found to be within those of a tensor of this shape. Raises
 * 'invalid-argument'; a tensor of one value has no rows.
 */
export function checkRows(
  rows: readonly [number, number],
  shape: readonly number[],
  where: string,
): readonly [number, number] {
  const [first, last] = Array.isArray(rows)
    ? (rows as readonly [number, number])
    : [Number.NaN, Number.NaN];
  const count = shape.length === 0 ? 0 : shape[0];
  const whole = Number.isInteger(first) && Number.isInteger(last) && rows.length === 2;
  if (shape.length === 0 || !whole || first < 0 || last < first || last > count) {
    throw invalidArgument(
      where,
      `rows ${shownRows(rows)}, expected [from, to] within the ${count} of shape [${shape}]`,
    );
  }
  return rows;
}

function shownRows(rows: unknown): string {
  return Array.isArray(rows) ? `[${rows.map(showValue)}]` : describeKind(rows);
}
