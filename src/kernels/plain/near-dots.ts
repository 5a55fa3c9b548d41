import type { Kernels } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

/** Halvings of the range of a centre's products. */
const HALVINGS = 12;

/** Largest inner products with the tokens of a document that are near a panel's centre. */
export function plainNearDots(views: MemoryViews): Pick<Kernels, 'nearDotsI16'> {
  return {
    nearDotsI16(panels, lanes, centres, dim, tokens, counts, nearest, documents, out, outStride) {
      const { f32, i16, i32 } = views();
      /** Product of lane x of some panels with a token. */
      const product = (packed: number, x: number, token: number): number => {
        let dot = 0;
        for (let k = 0; k < dim; k++)
          dot +=
            i16[(packed >> 1) + (x >> 4) * 16 * dim + (k >> 1) * 32 + (x & 15) * 2 + (k & 1)] *
            i16[(tokens >> 1) + token * dim + k];
        return dot;
      };
      let first = 0;
      for (let d = 0; d < documents; d++) {
        const count = i32[(counts >> 2) + d];
        const all = Array.from({ length: count }, (_, i) => first + i);
        for (let from = 0; from < lanes; from += 16) {
          const toCentre = all.map((token) => product(centres, from >> 4, token));
          const limit = leastOf(toCentre, i32[(nearest >> 2) + d]);
          const near = all.filter((_, i) => toCentre[i] >= limit);
          for (let x = from; x < Math.min(lanes, from + 16); x++)
            f32[(out >> 2) + x * outStride + d] = near.reduce(
              (best, token) => Math.max(best, product(panels, x, token)),
              -Infinity,
            );
        }
        first += count;
      }
    },
  };
}

/** A number that at least `wanted` of the products reach, and few more do; the least: all. */
function leastOf(products: readonly number[], wanted: number): number {
  let [low, high] = [Math.min(...products), Math.max(...products)];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = Math.floor((low + high) / 2);
    if (products.filter((product) => product >= middle).length >= wanted) low = middle;
    else high = middle;
  }
  return low;
}
