import type { Device } from '../device/device.js';
import { type DeviceTokens, uploadTokens } from '../device/device-tokens.js';
import type { Tensor } from '../device/memory.js';
import { buildTensors, withTensors } from '../device/with-tensors.js';
import type { RunOptions } from '../run-options.js';
import type { WeightBasis } from './reduction.js';

/** Weights of documents, documents x d': the least squares of their targets at the solve sample. */
export async function documentWeights(
  device: Device,
  { featureMap, solver, mean, std }: WeightBasis,
  documents: DeviceTokens,
  options?: RunOptions,
): Promise<Tensor<'f32'>> {
  return buildTensors(device, async (scope) => {
    const out = await scope.allocate('f32', documents.documentCount * featureMap.layout.latentDim);
    await device.documentWeights({ ...solver, documents, mean, std, out }, options);
    return out;
  });
}

/** Weights of a document whose vectors are zero, d' values. */
export async function zeroWeights(
  device: Device,
  basis: WeightBasis,
  { signal }: RunOptions,
): Promise<Float32Array> {
  const dim = basis.featureMap.layout.inputDim;
  return withTensors(device, async (scope) => {
    const zero = await uploadTokens(scope, {
      vectors: new Float32Array(dim),
      counts: Int32Array.of(1),
      offsets: Float64Array.of(0, 1),
      dim,
    });
    return device.read(scope.own(await documentWeights(device, basis, zero, { signal })));
  });
}
