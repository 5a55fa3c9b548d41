import type { Kernels } from './kernels.js';
import type { KernelMemory } from './memory.js';
import { activationOf, slopeOf } from './plain-activation.js';
import { plainCodes } from './plain-codes.js';
import { plainLinearAlgebra } from './plain-linear-algebra.js';

/**
 * The kernels as formulas: scalar TypeScript, sums in float64, one rounding to float32 at each
 * store. The specification that the fast kernels are held to, and what runs where WASM or its SIMD
 * is missing.
 */
export function plainKernels(memory: Pick<KernelMemory, 'buffer'>): Kernels {
  // views are renewed when the memory has grown
  let buffer = memory.buffer;
  let f32 = new Float32Array(buffer);
  let i32 = new Int32Array(buffer);
  let i16 = new Int16Array(buffer);
  let i8 = new Int8Array(buffer);
  const refresh = (): void => {
    if (memory.buffer === buffer) return;
    buffer = memory.buffer;
    f32 = new Float32Array(buffer);
    i32 = new Int32Array(buffer);
    i16 = new Int16Array(buffer);
    i8 = new Int8Array(buffer);
  };

  const maxDots = (
    value: (lane: number, k: number, token: number) => number,
    lanes: number,
    dim: number,
    counts: number,
    documents: number,
    out: number,
    outStride: number,
  ): void => {
    for (let x = 0; x < lanes; x++) {
      let token = 0;
      for (let d = 0; d < documents; d++) {
        let best = -Infinity;
        for (let end = token + i32[(counts >> 2) + d]; token < end; token++) {
          let dot = 0;
          for (let k = 0; k < dim; k++) dot += value(x, k, token);
          best = Math.max(best, dot);
        }
        f32[(out >> 2) + x * outStride + d] = best;
      }
    }
  };

  return {
    ...plainLinearAlgebra(memory),
    ...plainCodes(memory),

    packLanesF32(x, rows, dim, out) {
      refresh();
      for (let first = 0, to = out >> 2; first < rows; first += 16) {
        for (let k = 0; k < dim; k++) {
          for (let lane = 0; lane < 16; lane++)
            f32[to++] = first + lane < rows ? f32[(x >> 2) + (first + lane) * dim + k] : 0;
        }
      }
    },

    maxDotsF32(panels, lanes, dim, tokens, counts, documents, out, outStride) {
      refresh();
      const lane = (x: number, k: number): number =>
        f32[(panels >> 2) + (x >> 4) * 16 * dim + k * 16 + (x & 15)];
      maxDots(
        (x, k, t) => lane(x, k) * f32[(tokens >> 2) + t * dim + k],
        lanes,
        dim,
        counts,
        documents,
        out,
        outStride,
      );
    },

    maxDotsI16(panels, lanes, dim, tokens, counts, documents, out, outStride) {
      refresh();
      const lane = (x: number, k: number): number =>
        i16[(panels >> 1) + (x >> 4) * 16 * dim + (k >> 1) * 32 + (x & 15) * 2 + (k & 1)];
      maxDots(
        (x, k, t) => lane(x, k) * i16[(tokens >> 1) + t * dim + k],
        lanes,
        dim,
        counts,
        documents,
        out,
        outStride,
      );
    },

    activation(kind, x, n, out, slope) {
      refresh();
      const [f, derivative] = [activationOf(kind), slopeOf(kind)];
      for (let i = 0; i < n; i++) {
        const value = f32[(x >> 2) + i];
        if (slope !== 0) f32[(slope >> 2) + i] = derivative(value);
        f32[(out >> 2) + i] = f(value);
      }
    },

    layerNorm(x, rows, n, eps, gamma, beta, normal, inverse, out) {
      refresh();
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
      refresh();
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

    adam(p, g, m, v, n, gradScale, rate, beta1, beta2, root, eps) {
      refresh();
      for (let i = 0; i < n; i++) {
        const grad = f32[(g >> 2) + i] * gradScale;
        const first = f32[(m >> 2) + i] * beta1 + grad * (1 - beta1);
        const second = f32[(v >> 2) + i] * beta2 + grad * grad * (1 - beta2);
        f32[(m >> 2) + i] = first;
        f32[(v >> 2) + i] = second;
        f32[(p >> 2) + i] -= (rate * first) / (Math.sqrt(second) / root + eps);
      }
    },

    scanI8(q, rows, count, dim, out) {
      refresh();
      for (let i = 0; i < count; i++) {
        let dot = 0;
        for (let k = 0; k < dim; k++) dot += i16[(q >> 1) + k] * i8[rows + i * dim + k];
        f32[(out >> 2) + i] = dot;
      }
    },
  };
}
