import type { Tensor } from '../../memory.js';
import type { Context } from './operation.js';

/**
 * Positions of the allowed ones among rows first .. first + count, ascending, in scratch of 4 count
 * bytes; null without a mask.
 */
export function allowedRows(
  context: Context,
  mask: Tensor<'i8'> | null,
  first: number,
  count: number,
): Int32Array | null {
  if (!mask) return null;
  const values = context.view(mask).subarray(first, first + count);
  const positions = context.at('i32', context.scratch(4 * count), count);
  let n = 0;
  for (let i = 0; i < count; i++) if (values[i] !== 0) positions[n++] = i;
  return positions.subarray(0, n);
}

/** Whether one of the ascending `positions` is from `from` to `to`; true without. */
export function reaches(positions: Int32Array | null, from: number, to: number): boolean {
  if (!positions) return true;
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (positions[middle] < from) low = middle + 1;
    else high = middle;
  }
  return low < positions.length && positions[low] < to;
}

/**
 * Moves the values at `positions` to the front, in order. What is left out is gone: it cannot be
 * selected, whatever it is.
 */
export function keepAllowed(values: Float32Array, positions: Int32Array | null): Float32Array {
  if (!positions) return values;
  for (let i = 0; i < positions.length; i++) values[i] = values[positions[i]];
  return values.subarray(0, positions.length);
}
