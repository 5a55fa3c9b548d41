import { ACTIVATIONS } from '../../../kernels/kernels.js';
import type { Tensor } from '../../memory.js';
import type { TrainStep } from '../../training.js';
import type { CpuTensor } from '../cpu-tensor.js';
import type { TrainingTensors } from '../training-tensors.js';
import { type BatchLayout, batchLayout } from './batch-layout.js';
import { forward, forwardScratch, gemmScratch, LAYER_NORM_EPS } from './forward.js';
import { type Context, type Operation, SCRATCH_SLACK } from './operation.js';
import { productsOf, productsScratch, type StepArgs } from './train-products.js';

/** Rows of a block of a batch. */
const ROWS = 64;
/** Outputs of a block of weight gradients. */
const OUTPUTS = 64;
/** Parameters of a block of the update. */
const PARAMETERS = 1 << 16;

/** Partial sums that a step may need: by block of rows, then by block of weight rows. */
export function partialCount(
  training: Pick<TrainingTensors, 'layout' | 'outputs' | 'batchSize'>,
): number {
  const { layout, outputs, batchSize } = training;
  return Math.max(
    Math.ceil(batchSize / ROWS),
    gradientBlocks(
      layout.layers.map((layer) => layer.outputs),
      outputs,
    ),
  );
}

function gradientBlocks(layers: readonly number[], outputs: number): number {
  return [...layers, outputs].reduce((sum, n) => sum + Math.ceil(n / OUTPUTS), 0);
}

/**
 * Forward and backward through the rows of a batch: activations and their gradients, and the
 * squared error by block.
 */
export const trainRows: Operation<StepArgs> = {
  blocks: ({ step }) => Math.ceil(step.rows / ROWS),
  scratchBytes: ({ training }) =>
    SCRATCH_SLACK + productsScratch(training, ROWS) + 4 * ROWS * training.outputs,
  run(context, args, block) {
    const { training, step } = args;
    const first = block * ROWS;
    const rows = Math.min(ROWS, step.rows - first);
    const plan = batchLayout(training.layout, training.outputs, training.batchSize);
    const batch = context.address(training.batch);
    const at = (offset: number, width: number): number => batch + (offset + first * width) * 4;
    const part: RowsOfBatch = { plan, first, rows, at };
    gatherRows(context, training, step, plan, first, rows);
    const latent = forwardRows(context, args, part);
    context.view(training.partials)[block] = predictRows(context, args, part, latent);
    backwardRows(context, args, part);
  },
};

/** Rows first .. first + rows of a batch, and where they lie in it. */
interface RowsOfBatch {
  plan: BatchLayout;
  first: number;
  rows: number;
  /** Address of their part of what is at `offset`, `width` wide. */
  at(offset: number, width: number): number;
}

/** All layers, and the slopes of their activations. Returns the address of the features. */
function forwardRows(
  context: Context,
  args: StepArgs,
  { plan, first, rows, at }: RowsOfBatch,
): number {
  const { kernels } = context;
  const { layout, parameters: tensor } = args.training;
  const parameters = context.address(tensor);
  const activation = ACTIVATIONS.indexOf(layout.activation);
  let input = at(plan.x, layout.inputDim);
  for (const [l, layer] of layout.layers.entries()) {
    const own = plan.layers[l];
    const { outputs: n } = layer;
    const linear = at(own.normal, n);
    const [inverse, slope] = [at(own.inverse, 1), at(own.slope, n)];
    productsOf(context, args, l).forward(first, rows, input, linear);
    kernels.addBias(linear, rows, n, parameters + layer.bias * 4);
    const [gamma, beta] = [parameters + layer.gamma * 4, parameters + layer.beta * 4];
    kernels.layerNorm(linear, rows, n, LAYER_NORM_EPS, gamma, beta, linear, inverse, slope);
    input = at(own.activation, n);
    // what is kept of the input is the slope there
    kernels.activation(activation, slope, rows * n, input, slope);
  }
  return input;
}

/** Predictions, which become their gradients. Returns the sum of their squared errors. */
function predictRows(
  context: Context,
  args: StepArgs,
  { plan, first, rows, at }: RowsOfBatch,
  latent: number,
): number {
  const { training, step } = args;
  const { outputs } = training;
  const predictions = at(plan.predictions, outputs);
  productsOf(context, args, training.layout.layers.length).forward(
    first,
    rows,
    latent,
    predictions,
  );
  const target = targetRows(context, training, step, first, rows);
  // mean squared error over all outputs: d/dp = 2 (p - y) / (rows m')
  const slope = 2 / (step.rows * outputs);
  return context.kernels.squaredError(predictions, target, rows * outputs, slope);
}

/** Gradients of the activations, from the last layer to the first. */
function backwardRows(context: Context, args: StepArgs, { plan, rows, at }: RowsOfBatch): void {
  const { kernels } = context;
  const { layout, outputs, parameters: tensor } = args.training;
  const parameters = context.address(tensor);
  const { latentDim } = layout;
  const last = layout.layers.length - 1;
  const latentGradient = at(plan.layers[last].gradPreactivation, latentDim);
  const head = productsOf(context, args, layout.layers.length);
  head.backward(rows, at(plan.predictions, outputs), latentGradient);
  for (let l = last; l >= 0; l--) {
    const { inputs, outputs: n, gamma } = layout.layers[l];
    const own = plan.layers[l];
    const grad = at(own.gradPreactivation, n);
    const [normal, inverse] = [at(own.normal, n), at(own.inverse, 1)];
    const linear = at(own.gradLinear, n);
    kernels.multiply(grad, at(own.slope, n), rows * n);
    kernels.layerNormBackward(grad, rows, n, parameters + gamma * 4, normal, inverse, linear);
    if (l === 0) continue;
    const below = at(plan.layers[l - 1].gradPreactivation, inputs);
    productsOf(context, args, l).backward(rows, linear, below);
  }
}

function gatherRows(
  context: Context,
  training: TrainingTensors,
  step: TrainStep,
  plan: BatchLayout,
  first: number,
  rows: number,
): void {
  const { inputDim } = training.layout;
  const x = context.view(step.x);
  const order = context.view(step.order);
  const batch = context.view(training.batch);
  for (let r = first; r < first + rows; r++) {
    const row = order[step.from + r];
    batch.set(x.subarray(row * inputDim, (row + 1) * inputDim), plan.x + r * inputDim);
  }
}

/** Address of the standardised targets of the batch's rows first .. first + rows, in scratch. */
function targetRows(
  context: Context,
  training: TrainingTensors,
  step: TrainStep,
  first: number,
  rows: number,
): number {
  const { outputs } = training;
  const address = context.scratch(rows * outputs * 4);
  const y = context.at('f32', address, rows * outputs);
  const targets = context.view(step.targets);
  const order = context.view(step.order);
  for (let r = 0; r < rows; r++) {
    const row = order[step.from + first + r];
    y.set(targets.subarray(row * outputs, (row + 1) * outputs), r * outputs);
  }
  context.kernels.standardise(address, rows * outputs, step.mean, 1 / step.std);
  return address;
}

/**
 * Gradients of the parameters, 64 outputs of one matrix a block; partials get the sum of their
 * squares.
 */
export const trainGradients: Operation<StepArgs> = {
  blocks: ({ training }) =>
    gradientBlocks(
      training.layout.layers.map((layer) => layer.outputs),
      training.outputs,
    ),
  scratchBytes: ({ training }) => SCRATCH_SLACK + productsScratch(training, OUTPUTS),
  run(context, args, block) {
    const { training, step } = args;
    const { kernels } = context;
    const { layout, outputs } = training;
    const gradients = context.address(training.gradients);
    const batch = context.address(training.batch);
    const plan = batchLayout(layout, outputs, training.batchSize);
    const { rows } = step;
    let rest = block;
    let squares = 0;
    for (const [l, layer] of layout.layers.entries()) {
      const { inputs, outputs: n } = layer;
      const count = Math.ceil(n / OUTPUTS);
      if (rest >= count) {
        rest -= count;
        continue;
      }
      const first = rest * OUTPUTS;
      const used = Math.min(OUTPUTS, n - first);
      const own = plan.layers[l];
      const input = batch + (l === 0 ? plan.x : plan.layers[l - 1].activation) * 4;
      const gradLinear = batch + (own.gradLinear + first) * 4;
      const gradPre = batch + (own.gradPreactivation + first) * 4;
      const weight = gradients + (layer.weight + first * inputs) * 4;
      productsOf(context, args, l).gradient(first, used, batch + own.gradLinear * 4, input, weight);
      squares += kernels.sumSquares(weight, used * inputs);
      const [bias, gamma, beta] = [layer.bias, layer.gamma, layer.beta].map(
        (offset) => gradients + (offset + first) * 4,
      );
      kernels.sumRows(gradLinear, rows, used, n, 0, bias);
      kernels.sumProducts(gradPre, batch + (own.normal + first) * 4, rows, used, n, gamma);
      kernels.sumRows(gradPre, rows, used, n, 0, beta);
      for (const vector of [bias, gamma, beta]) squares += kernels.sumSquares(vector, used);
      context.view(training.partials)[block] = squares;
      return;
    }
    const { latentDim } = layout;
    const first = rest * OUTPUTS;
    const used = Math.min(OUTPUTS, outputs - first);
    const head = gradients + (layout.parameterCount + first * latentDim) * 4;
    const latent = batch + plan.layers[plan.layers.length - 1].activation * 4;
    productsOf(context, args, layout.layers.length).gradient(
      first,
      used,
      batch + plan.predictions * 4,
      latent,
      head,
    );
    context.view(training.partials)[block] = kernels.sumSquares(head, used * latentDim);
  },
};

/** Adam over the flat parameters. */
export const trainUpdate: Operation<StepArgs & { gradScale: number }> = {
  blocks: ({ training }) => Math.ceil(training.parameters.length / PARAMETERS),
  scratchBytes: () => SCRATCH_SLACK,
  run(context, { training, step, gradScale }, block) {
    const from = block * PARAMETERS;
    const count = Math.min(PARAMETERS, training.parameters.length - from);
    const rate = step.lr / step.correction1;
    const root = Math.sqrt(step.correction2);
    const [p, g, m, v] = [
      training.parameters,
      training.gradients,
      training.firstMoment,
      training.secondMoment,
    ].map((t) => context.address(t, from));
    context.kernels.adam(
      p,
      g,
      m,
      v,
      count,
      gradScale,
      rate,
      step.beta1,
      step.beta2,
      root,
      step.eps,
    );
  },
};

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
