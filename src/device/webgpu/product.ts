import { float, folded, type GpuQueue, SUBMIT_WORK } from './gpu-queue.js';
import type { Span } from './transfer.js';

/** Of a product's operand: values from one row to the next, and along the sum. */
export interface Operand extends Span {
  readonly row: number;
  readonly step: number;
}

/** out[i, j] (outRow from one i to the next) = sum over k of left[i, k] * right[j, k]. */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly left: Operand;
  readonly right: Operand;
  readonly out: Span;
  readonly outRow: number;
  /** Whether it is added to what out has; default false. */
  readonly adds?: boolean;
  /** Whether the right operand is of signed bytes; default: of float32 values. */
  readonly codes?: boolean;
}

/** So few rows on the left get flat tiles. */
const FEW_ROWS = 16;
/** Rows of a dispatch. */
const MOST_ROWS = 8192;
/** Tiles of a dispatch side by side. */
const MOST_TILES = 32768;

/** Rows x columns whose rows lie end to end, as an operand by its rows. */
export function byRows({ buffer, at }: Span, width: number): Operand {
  return { buffer, at, row: width, step: 1 };
}

/** The same by its columns. */
export function byColumns({ buffer, at }: Span, width: number): Operand {
  return { buffer, at, row: 1, step: width };
}

/** Records a product in dispatches that are short. */
export async function product(
  queue: GpuQueue,
  { rows, columns, depth, left, right, out, outRow, adds = false, codes = false }: Product,
  signal?: AbortSignal | undefined,
): Promise<void> {
  const isFlat = rows <= FEW_ROWS;
  const [height, width] = isFlat ? [8, 128] : [64, 64];
  const shader = codes
    ? isFlat
      ? 'flatCodeProduct'
      : 'codeProduct'
    : isFlat
      ? 'flatProduct'
      : 'product';
  const across = Math.min(rows, MOST_ROWS);
  const tiles = Math.floor(SUBMIT_WORK / (2 * across * depth * width));
  const each = width * Math.min(Math.max(tiles, 1), MOST_TILES);
  for (let i = 0; i < rows; i += across) {
    const some = Math.min(across, rows - i);
    for (let j = 0; j < columns; j += each) {
      const many = Math.min(each, columns - j);
      await queue.dispatch(
        shader,
        [
          ...[some, many, depth],
          ...[left.at + i * left.row, left.row, left.step],
          ...[right.at + j * right.row, right.row, right.step],
          ...[out.at + i * outRow + j, outRow, Number(adds)],
        ],
        [left.buffer, right.buffer, out.buffer],
        [Math.ceil(many / width), Math.ceil(some / height)],
      );
      await queue.turn(2 * some * many * depth, signal);
    }
  }
}

/** Values less the mean, by the deviation, in place. */
export async function standardise(
  queue: GpuQueue,
  buffer: GPUBuffer,
  values: number,
  { mean, std }: { mean: number; std: number },
): Promise<void> {
  const numbers = [values, float(mean), float(1 / std)];
  await queue.dispatch('standardise', numbers, [buffer], folded(Math.ceil(values / 64)));
}
