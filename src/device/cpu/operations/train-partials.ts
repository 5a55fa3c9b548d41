import type { TrainingShape } from '../../training.js';

/** Rows of a block of a batch. */
export const ROWS = 64;
/** Outputs of a block of weight gradients. */
export const OUTPUTS = 64;

/** Steps of a job at most: each has partial sums of its own. */
export const MOST_STEPS = 16;

/**
 * Where the partial sums of a step lie: from 0 on squared errors by block of rows, from `squares`
 * on squares of gradients by block of outputs.
 */
export interface PartialLayout {
  readonly squares: number;
  readonly length: number;
}

export function partialLayout(shape: TrainingShape): PartialLayout {
  const squares = Math.ceil(shape.batchSize / ROWS);
  return { squares, length: squares + gradientBlocks(shape) };
}

/** The partial sums of step `turn` of a job, of those of all its steps. */
export function partialsOf(shape: TrainingShape, all: Float64Array, turn: number): Float64Array {
  const { length } = partialLayout(shape);
  return all.subarray(turn * length, (turn + 1) * length);
}

/** Blocks of the gradients: those of each layer, then those of the head. */
export function gradientBlocks({ layout, outputs }: TrainingShape): number {
  return [...layout.layers.map((layer) => layer.outputs), outputs].reduce(
    (sum, n) => sum + Math.ceil(n / OUTPUTS),
    0,
  );
}

/** The norm of the gradient, from the partial sums of its step. */
export function gradientNorm(shape: TrainingShape, partials: Float64Array): number {
  const { squares, length } = partialLayout(shape);
  return Math.sqrt(partials.subarray(squares, length).reduce((sum, value) => sum + value, 0));
}
