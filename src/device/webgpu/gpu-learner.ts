import type { RunOptions } from '../../run-options.js';
import type { Device } from '../device.js';
import type { Learner } from '../learner.js';
import type { Tensor } from '../memory.js';
import { withTensors } from '../with-tensors.js';
import { documentWeights } from './document-weights.js';
import { features } from './features.js';
import type { GpuContext } from './gpu-context.js';
import { createGpuTraining } from './gpu-training.js';
import { HostMatrix } from './host-matrix.js';
import { targets } from './targets.js';

/** `host`: the processor, which has float64. */
export function gpuLearner(context: GpuContext, host: Device): Learner {
  return {
    features: (featureMap, x, rows, out, options) =>
      features(context, featureMap, x, rows, out, options),
    targets: (x, rows, documents, select, out, options) =>
      targets(context, x, rows, documents, select, out, options),
    createTraining: (shape) => createGpuTraining(context, shape),
    gram: (z, rows, n, options) => gram(context, host, z, rows, n, options),
    uploadMatrix: (values, n) => HostMatrix.upload(host, values, n),
    documentWeights: (args, options) => documentWeights(context, args, options),
  };
}

/** Z^T Z in float64, on the processor. */
async function gram(
  { memory }: GpuContext,
  host: Device,
  z: Tensor<'f32'>,
  rows: number,
  n: number,
  options: RunOptions | undefined,
): Promise<HostMatrix> {
  const values = await memory.read(z, 0, rows * n);
  return withTensors(host, async (scope) => {
    const own = await scope.upload('f32', values);
    return new HostMatrix(await host.gram(own, rows, n, options));
  });
}
