import { LemurError } from '../../errors.js';
import type { RunOptions } from '../../run-options.js';
import type { LossRows, StepReport, Training, TrainingShape, TrainStep } from '../training.js';
import { forward } from './forward.js';
import type { GpuContext } from './gpu-context.js';
import { byRows, product, standardise } from './product.js';
import { withScratch } from './scratch.js';
import { squaredError, type TrainingBuffers, takeStep } from './training-step.js';

/** Steps whose reports have room: more than an epoch has. */
const MOST_STEPS = 4096;
/** Rows of a loss that are looked at at once. */
const LOSS_ROWS = 1024;

/** Room for a training run. */
export async function createGpuTraining(
  context: GpuContext,
  shape: TrainingShape,
): Promise<Training> {
  const { queue } = context;
  const { layout, outputs } = shape;
  const count = layout.parameterCount + outputs * layout.latentDim;
  const most = queue.device.limits.maxStorageBufferBindingSize;
  const made: GPUBuffer[] = [];
  const room = async (length: number): Promise<GPUBuffer> => {
    const buffer = length * 4 <= most ? await queue.tryBuffer(length * 4) : null;
    if (!buffer) throw noRoom(length * 4);
    made.push(buffer);
    return buffer;
  };
  try {
    return new GpuTraining(context, {
      ...{ layout, outputs, count },
      parameters: await room(count),
      gradients: await room(count),
      firstMoment: await room(count),
      secondMoment: await room(count),
      reports: await room(2 * MOST_STEPS),
    });
  } catch (error) {
    for (const buffer of made) queue.destroy(buffer);
    throw error;
  }
}

/**
 * Training whose parameters and moments stay on the device; a call of any number of steps reads
 * nothing back but what the steps report, at its end. Products are float32, whatever was asked for.
 */
class GpuTraining implements Training {
  readonly parameterCount: number;
  readonly stepsAtOnce: number = MOST_STEPS;
  readonly #context: GpuContext;
  readonly #buffers: TrainingBuffers;

  constructor(context: GpuContext, buffers: TrainingBuffers) {
    this.#context = context;
    this.#buffers = buffers;
    this.parameterCount = buffers.count;
  }

  async writeParameters(values: Float32Array): Promise<void> {
    this.#context.queue.write(this.#buffers.parameters, 0, values);
  }

  readParameters(): Promise<Float32Array> {
    return this.#read(this.#buffers.parameters, this.parameterCount);
  }

  readGradients(): Promise<Float32Array> {
    return this.#read(this.#buffers.gradients, this.parameterCount);
  }

  async steps(batches: readonly TrainStep[], { signal }: RunOptions = {}): Promise<StepReport[]> {
    const reports: StepReport[] = [];
    for (let from = 0; from < batches.length; from += MOST_STEPS) {
      const some = batches.slice(from, from + MOST_STEPS);
      for (const [turn, batch] of some.entries())
        await takeStep(this.#context, this.#buffers, batch, turn, signal);
      const values = await this.#read(this.#buffers.reports, 2 * some.length);
      for (let i = 0; i < some.length; i++)
        reports.push({ loss: values[2 * i], gradientNorm: values[2 * i + 1] });
    }
    return reports;
  }

  async loss(
    { x, targets, rows, mean, std }: LossRows,
    { signal }: RunOptions = {},
  ): Promise<number> {
    const { queue, memory } = this.#context;
    const { layout, outputs, parameters } = this.#buffers;
    const { inputDim, latentDim } = layout;
    let total = 0;
    for (let from = 0; from < rows; from += LOSS_ROWS) {
      const to = Math.min(rows, from + LOSS_ROWS);
      const some = to - from;
      await withScratch(queue, async (scratch) => {
        const input = await memory.span(x, from * inputDim, to * inputDim, scratch);
        const z = { buffer: scratch.take(some * latentDim * 4), at: 0 };
        await forward(queue, scratch, layout, parameters, input, some, z, { signal });
        const out = { buffer: scratch.take(some * outputs * 4), at: 0 };
        const head = { buffer: parameters, at: layout.parameterCount };
        const sizes = { rows: some, columns: outputs, depth: latentDim, outRow: outputs };
        const sides = { left: byRows(z, latentDim), right: byRows(head, latentDim) };
        await product(queue, { ...sizes, ...sides, out }, signal);
        const given = await memory.span(targets, from * outputs, to * outputs, scratch);
        const y = scratch.take(some * outputs * 4);
        queue.copy(given.buffer, given.at * 4, y, 0, some * outputs * 4);
        await standardise(queue, y, some * outputs, { mean, std });
        const { sums, blocks } = await squaredError(
          queue,
          scratch,
          y,
          out.buffer,
          some * outputs,
          1,
        );
        for (const sum of await this.#read(sums, blocks)) total += sum;
      });
    }
    return total / (rows * outputs);
  }

  close(): void {
    const { parameters, gradients, firstMoment, secondMoment, reports } = this.#buffers;
    for (const buffer of [parameters, gradients, firstMoment, secondMoment, reports])
      this.#context.queue.destroy(buffer);
  }

  async #read(buffer: GPUBuffer, length: number): Promise<Float32Array> {
    return new Float32Array(await this.#context.queue.read(buffer, 0, length * 4));
  }
}

function noRoom(bytes: number): LemurError {
  const message =
    `${Math.ceil(bytes / 2 ** 20)} MiB of training state do not fit into a buffer of this ` +
    'device; a smaller trainSubsetSize or finalHiddenDim would';
  return new LemurError('invalid-argument', message, { where: 'memory' });
}
