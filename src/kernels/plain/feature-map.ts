import type { Kernels } from '../kernels.js';
import { activationOf, slopeOf } from './activation.js';
import type { MemoryViews } from './memory-views.js';

type FeatureMap = Pick<Kernels, 'activation' | 'layerNorm' | 'layerNormBackward'>;

/** Activation and LayerNorm, forward and backward. */
export function plainFeatureMap(views: MemoryViews): FeatureMap {
  return {
    activation(kind, x, n, out, slope) {
      const { f32 } = views();
      const [f, derivative] = [activationOf(kind), slopeOf(kind)];
      for (let i = 0; i < n; i++) {
        const value = f32[(x >> 2) + i];
        if (slope !== 0) f32[(slope >> 2) + i] = derivative(value);
        f32[(out >> 2) + i] = f(value);
      }
    },

    layerNorm(x, rows, n, eps, gamma, beta, normal, inverse, out) {
      const { f32 } = views();
      for (let r = 0; r < rows; r++) {
        const at = r * n;
        let mean = 0;
        for (let j = 0; j < n; j++) mean += f32[(x >> 2) + at + j] / n;
        let variance = 0;
        for (let j = 0; j < n; j++) variance += (f32[(x >> 2) + at + j] - mean) ** 2 / n;
        const scale = 1 / Math.sqrt(variance + eps);
        f32[(inverse >> 2) + r] = scale;
        for (let j = 0; j < n; j++) {
          const v = (f32[(x >> 2) + at + j] - mean) * scale;
          f32[(normal >> 2) + at + j] = v;
          if (gamma !== 0)
            f32[(out >> 2) + at + j] = v * f32[(gamma >> 2) + j] + f32[(beta >> 2) + j];
        }
      }
    },

    layerNormBackward(dOut, rows, n, gamma, normal, inverse, dx) {
      const { f32 } = views();
      for (let r = 0; r < rows; r++) {
        const at = r * n;
        let meanG = 0;
        let meanGx = 0;
        for (let j = 0; j < n; j++) {
          const g = f32[(dOut >> 2) + at + j] * f32[(gamma >> 2) + j];
          meanG += g / n;
          meanGx += (g * f32[(normal >> 2) + at + j]) / n;
        }
        for (let j = 0; j < n; j++) {
          const g = f32[(dOut >> 2) + at + j] * f32[(gamma >> 2) + j];
          f32[(dx >> 2) + at + j] =
            f32[(inverse >> 2) + r] * (g - meanG - f32[(normal >> 2) + at + j] * meanGx);
        }
      }
    },
  };
}
