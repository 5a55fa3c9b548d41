import { ACTIVATIONS } from '../../kernels/kernels.js';
import type { FeatureLayout } from '../feature-layout.js';
import type { TrainStep } from '../training.js';
import { forward, type KeptLayer } from './forward.js';
import type { GpuContext } from './gpu-context.js';
import { float, folded, type GpuQueue } from './gpu-queue.js';
import { byColumns, byRows, product } from './product.js';
import { type Scratch, withScratch } from './scratch.js';
import { gatherRows } from './training-batch.js';
import type { Span } from './transfer.js';

/** Values whose squares a workgroup adds up, as moments.wgsl and squared-error.wgsl have them. */
const SUMMED = 4096;

/** What a training run keeps. */
export interface TrainingBuffers {
  readonly layout: FeatureLayout;
  /** m'. */
  readonly outputs: number;
  /** Parameters. */
  readonly count: number;
  readonly parameters: GPUBuffer;
  readonly gradients: GPUBuffer;
  readonly firstMoment: GPUBuffer;
  readonly secondMoment: GPUBuffer;
  /** Of each step its loss and its gradient's norm. */
  readonly reports: GPUBuffer;
}

/** One step of Adam, whose reports go to place `turn`. */
export async function takeStep(
  context: GpuContext,
  training: TrainingBuffers,
  step: TrainStep,
  turn: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { queue } = context;
  const { layout, outputs, parameters, gradients } = training;
  const { inputDim, latentDim, parameterCount } = layout;
  const { rows } = step;
  await withScratch(queue, async (scratch) => {
    const x = { buffer: await gatherRows(context, scratch, step.x, inputDim, step), at: 0 };
    const y = await gatherRows(context, scratch, step.targets, outputs, step, step);
    const kept: KeptLayer[] = [];
    const z = { buffer: scratch.take(rows * latentDim * 4), at: 0 };
    await forward(queue, scratch, layout, parameters, x, rows, z, { kept, signal });
    const off = { buffer: scratch.take(rows * outputs * 4), at: 0 };
    const head = { buffer: parameters, at: parameterCount };
    const predict = { rows, columns: outputs, depth: latentDim, outRow: outputs, out: off };
    const sides = { left: byRows(z, latentDim), right: byRows(head, latentDim) };
    await product(queue, { ...predict, ...sides }, signal);
    const values = rows * outputs;
    const { sums, blocks } = await squaredError(queue, scratch, y, off.buffer, values, 2 / values);
    await sumTo(
      queue,
      sums,
      { values: blocks, at: 2 * turn, factor: 1 / values },
      training.reports,
    );
    const ofHead = { buffer: gradients, at: parameterCount };
    await gradientOf(queue, { off, outputs, input: z, inputs: latentDim, rows }, ofHead, signal);
    const back = { buffer: scratch.take(rows * latentDim * 4), at: 0 };
    const through = { rows, columns: latentDim, depth: outputs, outRow: latentDim, out: back };
    const given = { left: byRows(off, outputs), right: byColumns(head, latentDim) };
    await product(queue, { ...through, ...given }, signal);
    await layersBack(queue, scratch, training, kept, back, rows, signal);
    await update(queue, scratch, training, step, turn);
  });
}

/** Gradients of all layers from that of the last one's output. */
async function layersBack(
  queue: GpuQueue,
  scratch: Scratch,
  { layout, parameters, gradients }: TrainingBuffers,
  kept: readonly KeptLayer[],
  from: Span,
  rows: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let off = from;
  for (let i = layout.layers.length - 1; i >= 0; i--) {
    const { inputs, outputs, weight, bias, gamma, beta } = layout.layers[i];
    const { input, normal, inverse } = kept[i];
    const scaled = scratch.take(rows * outputs * 4);
    const activation = ACTIVATIONS.indexOf(layout.activation);
    await queue.dispatch(
      'layerBack',
      [outputs, activation, gamma, beta],
      [parameters, normal, inverse, off.buffer, scaled],
      [rows],
    );
    await queue.dispatch(
      'sumColumns',
      [rows, outputs, bias, gamma, beta],
      [off.buffer, scaled, normal, gradients],
      [Math.ceil(outputs / 64)],
    );
    const own = { buffer: gradients, at: weight };
    await gradientOf(queue, { off, outputs, input, inputs, rows }, own, signal);
    if (i === 0) return;
    const back = { buffer: scratch.take(rows * inputs * 4), at: 0 };
    const right = byColumns({ buffer: parameters, at: weight }, inputs);
    const sizes = { rows, columns: inputs, depth: outputs, outRow: inputs, out: back };
    await product(queue, { ...sizes, left: byRows(off, outputs), right }, signal);
    off = back;
  }
}

/** out (outputs x inputs) = off^T input: the gradient of a linear map. */
function gradientOf(
  queue: GpuQueue,
  of: { off: Span; outputs: number; input: Span; inputs: number; rows: number },
  out: Span,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { off, outputs, input, inputs, rows } = of;
  const sizes = { rows: outputs, columns: inputs, depth: rows, outRow: inputs, out };
  const sides = { left: byColumns(off, outputs), right: byColumns(input, inputs) };
  return product(queue, { ...sizes, ...sides }, signal);
}

/** Predictions become differences by a factor; sums of their squares, by blocks. */
export async function squaredError(
  queue: GpuQueue,
  scratch: Scratch,
  y: GPUBuffer,
  predictions: GPUBuffer,
  values: number,
  factor: number,
): Promise<{ sums: GPUBuffer; blocks: number }> {
  const blocks = Math.ceil(values / SUMMED);
  const sums = scratch.take(blocks * 4);
  const numbers = [values, float(factor)];
  await queue.dispatch('squaredError', numbers, [y, predictions, sums], folded(blocks));
  return { sums, blocks };
}

/** Adam, by the gradients' norm. */
async function update(
  queue: GpuQueue,
  scratch: Scratch,
  training: TrainingBuffers,
  step: TrainStep,
  turn: number,
): Promise<void> {
  const { count, parameters, gradients, firstMoment, secondMoment, reports } = training;
  const blocks = Math.ceil(count / SUMMED);
  const sums = scratch.take(blocks * 8);
  await queue.dispatch('moments', [count, 0, 0], [gradients, sums], folded(blocks));
  const squares = { values: blocks, stride: 2, offset: 1, at: 2 * turn + 1, isRoot: true };
  await sumTo(queue, sums, squares, reports);
  const { lr, beta1, beta2, correction1, correction2, eps, gradClip } = step;
  const floats = [
    ...[gradClip ?? -1, lr / correction1, beta1, beta2],
    ...[Math.sqrt(correction2), eps, 1 - beta1, 1 - beta2],
  ];
  await queue.dispatch(
    'adam',
    [count, 2 * turn + 1, ...floats.map(float)],
    [gradients, reports, parameters, firstMoment, secondMoment],
    folded(Math.ceil(count / 64)),
  );
}

/** out[at] = the sum of values a stride apart, by a factor, or its root. */
async function sumTo(
  queue: GpuQueue,
  x: GPUBuffer,
  of: {
    values: number;
    at: number;
    stride?: number;
    offset?: number;
    factor?: number;
    isRoot?: boolean;
  },
  out: GPUBuffer,
): Promise<void> {
  const { values, at, stride = 1, offset = 0, factor = 1, isRoot = false } = of;
  const numbers = [values, stride, offset, at, Number(isRoot), float(factor)];
  await queue.dispatch('sumPartials', numbers, [x, out], [1]);
}
