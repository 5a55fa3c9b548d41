import type { Kernels } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

type Training = Pick<Kernels, 'adam' | 'squaredError' | 'sumSquares'>;

/** A step of Adam, the loss and norms. */
export function plainTraining(views: MemoryViews): Training {
  return {
    adam(p, g, m, v, n, gradScale, rate, beta1, beta2, root, eps) {
      const { f32 } = views();
      for (let i = 0; i < n; i++) {
        const grad = f32[(g >> 2) + i] * gradScale;
        const first = f32[(m >> 2) + i] * beta1 + grad * (1 - beta1);
        const second = f32[(v >> 2) + i] * beta2 + grad * grad * (1 - beta2);
        f32[(m >> 2) + i] = first;
        f32[(v >> 2) + i] = second;
        f32[(p >> 2) + i] -= (rate * first) / (Math.sqrt(second) / root + eps);
      }
    },

    squaredError(prediction, target, n, scale) {
      const { f32 } = views();
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const difference = f32[(prediction >> 2) + i] - f32[(target >> 2) + i];
        sum += difference * difference;
        f32[(prediction >> 2) + i] = difference * scale;
      }
      return sum;
    },

    sumSquares(x, n) {
      const { f32 } = views();
      let sum = 0;
      for (let i = 0; i < n; i++) sum += f32[(x >> 2) + i] * f32[(x >> 2) + i];
      return sum;
    },
  };
}
