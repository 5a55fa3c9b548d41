import type { TrainStep } from '../../training.js';
import type { TrainingTensors } from '../training-tensors.js';
import { codeLayout, evenUp, type Linear, type LinearCodes, linearsOf } from './code-layout.js';
import { gemmScratch } from './forward.js';
import { type Context, type Operation, SCRATCH_SLACK } from './operation.js';

/**
 * Largest code: the sum of 512 products fits int32, and rounding to it is finer than what a step of
 * Adam could tell.
 */
const LIMIT = 2047;
/** Rows of a matrix that a block packs. */
const PACKED_ROWS = 64;

/** `turn`: the step's number in its job. */
export type StepArgs = { training: TrainingTensors; step: TrainStep; turn: number };

/** The products of a step with one matrix W; operands and results are addresses, row-major. */
export interface Products {
  /** y (rows x outputs) = x W^T, x the rows first .. first + rows of the batch. */
  forward(first: number, rows: number, x: number, y: number): void;
  /** dx (rows x inputs) = dy W. */
  backward(rows: number, dy: number, dx: number): void;
  /**
   * dW (used x inputs) = dy^T x over the whole batch for the outputs from .. from + used; dy and x
   * are those of the batch's first row.
   */
  gradient(from: number, used: number, dy: number, x: number, dW: number): void;
}

/** Bytes of scratch of any of the products with up to `rows` rows, or outputs of a gradient. */
export function productsScratch(
  { layout, outputs, batchSize, codes }: TrainingTensors,
  rows: number,
): number {
  if (!codes) return 4 * gemmScratch(rows);
  const widest = Math.max(
    batchSize,
    ...linearsOf(layout, outputs).map((linear) => Math.max(linear.inputs, linear.outputs)),
  );
  return rows * (2 * evenUp(widest) + 4) + 128 + 512;
}

/**
 * Products with matrix `index` (the head is the last): in float32, or in codes that `packWeights`
 * has made of it.
 */
export function productsOf(
  context: Context,
  { training, step }: StepArgs,
  index: number,
): Products {
  const linear = linearsOf(training.layout, training.outputs)[index];
  if (!training.codes)
    return floatProducts(
      context,
      linear,
      context.address(training.parameters, linear.weight),
      step.rows,
    );
  return codeProducts(context, linear, codesOf(context, training, index), step.rows);
}

function floatProducts(
  context: Context,
  { inputs, outputs }: Linear,
  w: number,
  batch: number,
): Products {
  const { kernels } = context;
  const product = (m: number, multiply: (scratch: number) => void): void => {
    const start = context.mark();
    multiply(context.scratch(gemmScratch(m) * 4));
    context.rewind(start);
  };
  return {
    forward: (_first, rows, x, y) =>
      product(rows, (s) =>
        kernels.gemmF32(rows, outputs, inputs, x, inputs, 1, w, 1, inputs, y, outputs, 0, s),
      ),
    backward: (rows, dy, dx) =>
      product(rows, (s) =>
        kernels.gemmF32(rows, inputs, outputs, dy, outputs, 1, w, inputs, 1, dx, inputs, 0, s),
      ),
    gradient: (from, used, dy, x, dW) =>
      product(used, (s) =>
        kernels.gemmF32(
          used,
          inputs,
          batch,
          dy + from * 4,
          1,
          outputs,
          x,
          inputs,
          1,
          dW,
          inputs,
          0,
          s,
        ),
      ),
  };
}

/**
 * What varies along the sum is folded into the other side before that is rounded: rows of W have a
 * scale each, so dy W takes codes of dy times those; rows of x have a scale each, so dy^T x takes
 * codes of dy times those.
 */
function codeProducts(
  context: Context,
  { inputs, outputs }: Linear,
  at: LinearCodes,
  batch: number,
): Products {
  const { kernels } = context;
  return {
    forward(first, rows, x, y) {
      const start = context.mark();
      const codes = context.scratch(rows * evenUp(inputs) * 2);
      const scales = at.inputScales + first * 4;
      kernels.quantizeRowsI16(x, rows, inputs, LIMIT, 0, codes, scales);
      kernels.packPairsI16(codes, rows, inputs, at.input + first * 32, evenUp(batch));
      kernels.gemmI16(
        rows,
        outputs,
        evenUp(inputs),
        codes,
        scales,
        at.forward,
        at.weightScales,
        y,
        outputs,
        context.scratch(128),
      );
      context.rewind(start);
    },
    backward(rows, dy, dx) {
      const start = context.mark();
      const codes = context.scratch(rows * evenUp(outputs) * 2);
      const scales = context.scratch(rows * 4);
      kernels.quantizeRowsI16(dy, rows, outputs, LIMIT, at.weightScales, codes, scales);
      const sums = context.scratch(128);
      const even = evenUp(outputs);
      kernels.gemmI16(rows, inputs, even, codes, scales, at.backward, 0, dx, inputs, sums);
      context.rewind(start);
    },
    gradient(from, used, dy, _x, dW) {
      const start = context.mark();
      const codes = context.scratch(used * evenUp(batch) * 2);
      const scales = context.scratch(used * 4);
      kernels.quantizeColumnsI16(
        dy + from * 4,
        batch,
        used,
        outputs,
        at.inputScales,
        LIMIT,
        codes,
        scales,
      );
      const sums = context.scratch(128);
      const even = evenUp(batch);
      kernels.gemmI16(used, inputs, even, codes, scales, at.input, 0, dW, inputs, sums);
      context.rewind(start);
    },
  };
}

/** Codes of the matrices, 64 rows of one a block; once a step, for all rows of the batch. */
export const packWeights: Operation<{ training: TrainingTensors }> = {
  blocks: ({ training }) =>
    linearsOf(training.layout, training.outputs).reduce(
      (sum, { outputs }) => sum + Math.ceil(outputs / PACKED_ROWS),
      0,
    ),
  scratchBytes: ({ training }) => SCRATCH_SLACK + productsScratch(training, PACKED_ROWS),
  run(context, { training }, block) {
    let rest = block;
    for (const [index, { inputs, outputs, weight }] of linearsOf(
      training.layout,
      training.outputs,
    ).entries()) {
      const count = Math.ceil(outputs / PACKED_ROWS);
      if (rest >= count) {
        rest -= count;
        continue;
      }
      const first = rest * PACKED_ROWS;
      const rows = Math.min(PACKED_ROWS, outputs - first);
      const at = codesOf(context, training, index);
      const { kernels } = context;
      const codes = context.scratch(rows * evenUp(inputs) * 2);
      const w = context.address(training.parameters, weight + first * inputs);
      kernels.quantizeRowsI16(w, rows, inputs, LIMIT, 0, codes, at.weightScales + first * 4);
      kernels.packPanelsI16(codes, rows, evenUp(inputs), at.forward + first * evenUp(inputs) * 2);
      kernels.packPairsI16(codes, rows, inputs, at.backward + first * 32, evenUp(outputs));
      return;
    }
  },
};

/** Addresses of a matrix's codes and scales. */
function codesOf(
  context: Context,
  { layout, outputs, batchSize, codes, scales }: TrainingTensors,
  index: number,
): LinearCodes {
  if (!codes || !scales) throw new Error('a training in float32 has no codes');
  const at = codeLayout(layout, outputs, batchSize).linears[index];
  return {
    forward: context.address(codes, at.forward),
    backward: context.address(codes, at.backward),
    input: context.address(codes, at.input),
    weightScales: context.address(scales, at.weightScales),
    inputScales: context.address(scales, at.inputScales),
  };
}
