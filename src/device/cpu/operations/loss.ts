import type { Tensor } from '../../memory.js';
import type { CpuTensor } from '../cpu-tensor.js';
import type { TrainingTensors } from '../training-tensors.js';
import { forward, forwardScratch, gemmScratch } from './forward.js';
import { type Operation, SCRATCH_SLACK } from './operation.js';

/** Rows of a block. */
const ROWS = 64;

export interface LossArgs {
  training: TrainingTensors;
  x: Tensor<'f32'>;
  targets: Tensor<'f32'>;
  rows: number;
  mean: number;
  std: number;
  /** Sum of squared errors by block. */
  sums: CpuTensor<'f64'>;
}

/** Squared error of the network on rows in their own order. */
export const loss: Operation<LossArgs> = {
  blocks: ({ rows }) => Math.ceil(rows / ROWS),
  scratchBytes({ training }) {
    const { layout, outputs } = training;
    return (
      SCRATCH_SLACK +
      forwardScratch(layout, ROWS) +
      4 * (gemmScratch(ROWS) + ROWS * (2 * outputs + layout.inputDim))
    );
  },
  run(context, { training, x, targets, rows, mean, std, sums }, block) {
    const { kernels } = context;
    const { layout, outputs } = training;
    const first = block * ROWS;
    const count = Math.min(ROWS, rows - first);
    const parameters = context.address(training.parameters);
    const z = forward(
      context,
      layout,
      parameters,
      context.stage(x, first * layout.inputDim, (first + count) * layout.inputDim),
      count,
    );
    const predictions = context.scratch(count * outputs * 4);
    const product = context.scratch(gemmScratch(count) * 4);
    const head = parameters + layout.parameterCount * 4;
    kernels.gemmF32(
      count,
      outputs,
      layout.latentDim,
      z,
      layout.latentDim,
      1,
      head,
      1,
      layout.latentDim,
      predictions,
      outputs,
      0,
      product,
    );
    const y = context.scratch(count * outputs * 4);
    context
      .at('f32', y, count * outputs)
      .set(context.view(targets).subarray(first * outputs, (first + count) * outputs));
    kernels.standardise(y, count * outputs, mean, 1 / std);
    context.view(sums)[block] = kernels.squaredError(predictions, y, count * outputs, 1);
  },
};
