import type { Device, DeviceTokens, Tensor } from '../device/device.js';
import { freeTokens, uploadTokens } from '../device/device-tokens.js';
import type { RunOptions } from '../run-options.js';
import type { WeightBasis } from './reduction.js';

/** Weights of documents, documents x d': the least squares of their targets at the solve sample. */
export async function documentWeights(
  device: Device,
  { map, solver, mean, std }: WeightBasis,
  documents: DeviceTokens,
  options?: RunOptions,
): Promise<Tensor<'f32'>> {
  const { latentDim } = map.layout;
  const out = await device.allocate('f32', documents.documents * latentDim);
  try {
    await device.documentWeights({ ...solver, latentDim, documents, mean, std, out }, options);
    return out;
  } catch (error) {
    device.free(out);
    throw error;
  }
}

/** Weights of a document whose vectors are zero, d' values. */
export async function zeroWeights(
  device: Device,
  basis: WeightBasis,
  { signal }: RunOptions,
): Promise<Float32Array> {
  const dim = basis.map.layout.inputDim;
  const zero = await uploadTokens(device, {
    vectors: new Float32Array(dim),
    counts: Int32Array.of(1),
    offsets: Float64Array.of(0, 1),
    dim,
  });
  try {
    const w = await documentWeights(device, basis, zero, { signal });
    try {
      return await device.read(w);
    } finally {
      device.free(w);
    }
  } finally {
    freeTokens(device, zero);
  }
}
