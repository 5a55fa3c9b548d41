import type { RunOptions } from '../../../run-options.js';
import type { LossRows, Training, TrainingShape, TrainStep } from '../../training.js';
import type { CpuDType, CpuTensor } from '../cpu-tensor.js';
import { operations } from '../operations/all-operations.js';
import { batchLayout } from '../operations/batch-layout.js';
import { codeLayout } from '../operations/code-layout.js';
import { partialCount } from '../operations/train-gradients.js';
import type { TrainingTensors } from '../training-tensors.js';
import { sumOf, withPartials } from './partials.js';
import type { Run } from './run.js';
import type { TensorStore } from './tensor-store.js';

/** Room for a training run; all of it is given back where some of it finds no place. */
export async function createTraining(
  store: TensorStore,
  run: Run,
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
      partials: await resident('f64', partialCount(shape)),
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
  readonly #run: Run;
  readonly #tensors: TrainingTensors;
  readonly #kept: readonly CpuTensor[];

  constructor(store: TensorStore, run: Run, tensors: TrainingTensors, kept: readonly CpuTensor[]) {
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

  async step(step: TrainStep): Promise<{ loss: number; gradientNorm: number }> {
    const training = this.#tensors;
    const args = { training, step };
    if (training.codes) await this.#run('packWeights', args);
    await this.#run('trainRows', args);
    const errors = await this.#partials(operations.trainRows.blocks(args));
    await this.#run('trainGradients', args);
    const squares = await this.#partials(operations.trainGradients.blocks(args));
    const gradientNorm = Math.sqrt(sumOf(squares));
    const gradScale =
      step.gradClip === null ? 1 : Math.min(1, step.gradClip / (gradientNorm + 1e-6));
    await this.#run('trainUpdate', { ...args, gradScale });
    return { loss: sumOf(errors) / (step.rows * training.outputs), gradientNorm };
  }

  loss(rows: LossRows, options?: RunOptions): Promise<number> {
    const training = this.#tensors;
    const args = { training, ...rows };
    const blocks = operations.loss.blocks({ ...args, sums: training.partials });
    return withPartials(
      this.#store,
      blocks,
      (sums) => this.#run('loss', { ...args, sums }, options),
      (values) => sumOf(values) / (rows.rows * training.outputs),
    );
  }

  close(): void {
    this.#store.free(...this.#kept);
  }

  #partials(count: number): Promise<Float64Array> {
    return this.#store.read(this.#tensors.partials, 0, count);
  }
}
