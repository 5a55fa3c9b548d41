import type { RunOptions } from '../../../run-options.js';
import type { LossRows, StepReport, Training, TrainingShape, TrainStep } from '../../training.js';
import type { CpuDType, CpuTensor } from '../cpu-tensor.js';
import { operations } from '../operations/all-operations.js';
import { batchLayout } from '../operations/batch-layout.js';
import { codeLayout } from '../operations/code-layout.js';
import {
  gradientNorm,
  MOST_STEPS,
  partialLayout,
  partialsOf,
} from '../operations/train-partials.js';
import type { TrainingTensors } from '../training-tensors.js';
import { sumOf, withPartials } from './partials.js';
import { type RunSteps, step } from './run.js';
import type { TensorStore } from './tensor-store.js';

/** Multiplications and additions of a job, some 50 to 100 ms' work of two threads. */
const JOB_WORK = 1e10;

/** Room for a training run; all of it is given back where some of it finds no place. */
export async function createTraining(
  store: TensorStore,
  run: RunSteps,
  shape: TrainingShape,
): Promise<Training> {
  const { layout, outputs, batchSize, products } = shape;
  const kept: CpuTensor[] = [];
  const resident = async <D extends CpuDType>(dtype: D, length: number): Promise<CpuTensor<D>> => {
    const tensor = await store.allocate(dtype, length, 'required');
    kept.push(tensor);
    return tensor;
  };
  const length = layout.parameterCount + outputs * layout.latentDim;
  const coded = products === 'int16' ? codeLayout(layout, outputs, batchSize) : null;
  try {
    const tensors: TrainingTensors = {
      ...shape,
      parameters: await resident('f32', length),
      gradients: await resident('f32', length),
      firstMoment: await resident('f32', length),
      secondMoment: await resident('f32', length),
      batch: await resident('f32', batchLayout(layout, outputs, batchSize).length),
      partials: await resident('f64', MOST_STEPS * partialLayout(shape).length),
      codes: coded && (await resident('i16', coded.codes)),
      scales: coded && (await resident('f32', coded.scales)),
    };
    return new CpuTraining(store, run, tensors, kept);
  } catch (error) {
    store.free(...kept);
    throw error;
  }
}

class CpuTraining implements Training {
  readonly parameterCount: number;
  readonly #store: TensorStore;
  readonly #run: RunSteps;
  readonly #tensors: TrainingTensors;
  readonly #kept: readonly CpuTensor[];

  constructor(
    store: TensorStore,
    run: RunSteps,
    tensors: TrainingTensors,
    kept: readonly CpuTensor[],
  ) {
    this.parameterCount = tensors.parameters.length;
    this.#store = store;
    this.#run = run;
    this.#tensors = tensors;
    this.#kept = kept;
  }

  writeParameters(values: Float32Array): Promise<void> {
    return this.#store.write(this.#tensors.parameters, values);
  }

  readParameters(): Promise<Float32Array> {
    return this.#store.read(this.#tensors.parameters);
  }

  readGradients(): Promise<Float32Array> {
    return this.#store.read(this.#tensors.gradients);
  }

  get stepsAtOnce(): number {
    const work = 6 * this.parameterCount * this.#tensors.batchSize;
    return Math.min(MOST_STEPS, Math.max(1, Math.floor(JOB_WORK / work)));
  }

  async steps(batches: readonly TrainStep[], options?: RunOptions): Promise<StepReport[]> {
    const reports: StepReport[] = [];
    for (let from = 0; from < batches.length; from += MOST_STEPS)
      reports.push(...(await this.#job(batches.slice(from, from + MOST_STEPS), options)));
    return reports;
  }

  /** At most MOST_STEPS steps in one trip to the workers. */
  async #job(
    batches: readonly TrainStep[],
    options: RunOptions | undefined,
  ): Promise<StepReport[]> {
    const training = this.#tensors;
    const all = batches.map((batch, turn) => ({ training, step: batch, turn }));
    const steps = all.flatMap((args) => [
      ...(training.codes ? [step('packWeights', args)] : []),
      step('trainRows', args),
      step('trainGradients', args),
      step('trainUpdate', args),
    ]);
    await this.#run(steps, options);
    const sums = await this.#store.read(training.partials);
    return all.map((args) => {
      const partials = partialsOf(training, sums, args.turn);
      const errors = partials.subarray(0, operations.trainRows.blocks(args));
      return {
        loss: sumOf(errors) / (args.step.rows * training.outputs),
        gradientNorm: gradientNorm(training, partials),
      };
    });
  }

  loss(rows: LossRows, options?: RunOptions): Promise<number> {
    const training = this.#tensors;
    const args = { training, ...rows };
    const blocks = operations.loss.blocks({ ...args, sums: training.partials });
    return withPartials(
      this.#store,
      blocks,
      (sums) => this.#run([step('loss', { ...args, sums })], options),
      (values) => sumOf(values) / (rows.rows * training.outputs),
    );
  }

  close(): void {
    this.#store.free(...this.#kept);
  }
}
