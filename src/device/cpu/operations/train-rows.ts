import { ACTIVATIONS } from '../../../kernels/kernels.js';
import type { TrainStep } from '../../training.js';
import type { TrainingTensors } from '../training-tensors.js';
import { type BatchLayout, batchLayout } from './batch-layout.js';
import { LAYER_NORM_EPS } from './forward.js';
import { type Context, type Operation, SCRATCH_SLACK } from './operation.js';
import { partialsOf, ROWS } from './train-partials.js';
import { productsOf, productsScratch, type StepArgs } from './train-products.js';

/**
 * Forward and backward through the rows of a batch: activations and their gradients, and the
 * squared error by block.
 */
export const trainRows: Operation<StepArgs> = {
  blocks: ({ step }) => Math.ceil(step.rows / ROWS),
  scratchBytes: ({ training }) =>
    SCRATCH_SLACK + productsScratch(training, ROWS) + 4 * ROWS * training.outputs,
  run(context, args, block) {
    const { training, step, turn } = args;
    const first = block * ROWS;
    const rows = Math.min(ROWS, step.rows - first);
    const plan = batchLayout(training.layout, training.outputs, training.batchSize);
    const batch = context.address(training.batch);
    const at = (offset: number, width: number): number => batch + (offset + first * width) * 4;
    const part: RowsOfBatch = { plan, first, rows, at };
    gatherRows(context, training, step, plan, first, rows);
    const latent = forwardRows(context, args, part);
    const partials = partialsOf(training, context.view(training.partials), turn);
    partials[block] = predictRows(context, args, part, latent);
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
