import type { SearchDevice } from '../device/device.js';
import type { Tensor } from '../device/memory.js';
import { withTensors } from '../device/with-tensors.js';
import { type ScanSource, uploadMask } from './scan-source.js';

/** The documents with the largest inner products of weights (w, documents x d') and features. */
export function weightsSource(
  device: SearchDevice,
  w: Tensor<'f32'>,
  latentDim: number,
): ScanSource {
  return {
    name: 'weights',
    async candidates(queries, k, { allowed, signal, onProgress }) {
      const count = queries.tokens.counts.length;
      const features = await queries.featureTensor();
      return withTensors(device, async (scope) => {
        const options = { allowed: await uploadMask(scope, allowed), signal, onProgress };
        const rows = w.length / latentDim;
        return {
          ...(await device.topInnerProducts(features, count, w, rows, latentDim, k, options)),
          k,
        };
      });
    },
  };
}
