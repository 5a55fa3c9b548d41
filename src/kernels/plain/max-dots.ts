import { type Kernels, panelWidth } from '../kernels.js';
import type { MemoryViews } from './memory-views.js';

type MaxDots = Pick<Kernels, 'maxDotsF32' | 'maxDotsI16'>;

/** Largest inner products of query tokens with the tokens of documents. */
export function plainMaxDots(views: MemoryViews): MaxDots {
  /** `product` of element k of a lane and a token. */
  const maxDots = (
    product: (lane: number, k: number, token: number) => number,
    lanes: number,
    dim: number,
    counts: number,
    documents: number,
    out: number,
    outStride: number,
    _best: number,
  ): void => {
    const { f32, i32 } = views();
    for (let x = 0; x < lanes; x++) {
      let token = 0;
      for (let d = 0; d < documents; d++) {
        let best = -Infinity;
        for (let end = token + i32[(counts >> 2) + d]; token < end; token++) {
          let dot = 0;
          for (let k = 0; k < dim; k++) dot += product(x, k, token);
          best = Math.max(best, dot);
        }
        f32[(out >> 2) + x * outStride + d] = best;
      }
    }
  };

  return {
    maxDotsF32(panels, lanes, dim, tokens, ...rest) {
      const { f32 } = views();
      const places = lanePlaces(lanes);
      const lane = (x: number, k: number): number => {
        const { first, width } = places[x];
        return f32[(panels >> 2) + first * dim + k * width + (x - first)];
      };
      maxDots((x, k, t) => lane(x, k) * f32[(tokens >> 2) + t * dim + k], lanes, dim, ...rest);
    },

    maxDotsI16(panels, lanes, dim, tokens, ...rest) {
      const { i16 } = views();
      const places = lanePlaces(lanes);
      const lane = (x: number, k: number): number => {
        const { first, width } = places[x];
        return i16[(panels >> 1) + first * dim + ((k >> 1) * width + x - first) * 2 + (k & 1)];
      };
      maxDots((x, k, t) => lane(x, k) * i16[(tokens >> 1) + t * dim + k], lanes, dim, ...rest);
    },
  };
}

/** First lane and width of each lane's panel. */
export function lanePlaces(lanes: number): { first: number; width: number }[] {
  const places: { first: number; width: number }[] = [];
  while (places.length < lanes) {
    const first = places.length;
    const width = panelWidth(lanes - first);
    for (let lane = 0; lane < width; lane++) places.push({ first, width });
  }
  return places;
}
