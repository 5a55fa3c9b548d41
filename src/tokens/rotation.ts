import { createRandom } from './random.js';
import { STREAM } from './random-streams.js';

/**
 * Rounds of a rotation. Two mix 128 dimensions as well as a dense orthogonal matrix does, at a
 * fifth of its cost; the third is for dimensions that no power of two divides evenly.
 */
export const ROTATION_ROUNDS = 3;

/** 1 and -1 at random, `ROTATION_ROUNDS` x dim. */
export function rotationSigns(dim: number, seed: number): Float32Array {
  const random = createRandom(seed, STREAM.tokenRotation);
  return Float32Array.from({ length: ROTATION_ROUNDS * dim }, () =>
    random.uniform() < 0.5 ? -1 : 1,
  );
}

/**
 * Rotates a vector in place, at random and so that its values come out nearly normal: each round
 * turns the signs of some and takes the Hadamard transform of the first 2^n values, then of the
 * last, then of the first (2^n <= dim). Of `signs`, whose first `ROTATION_ROUNDS` x dim values are
 * meant, only the signs count: whatever they are, it is a rotation.
 */
export function rotate(x: Float64Array, signs: Float32Array): void {
  for (let round = 0; round < ROTATION_ROUNDS; round++) {
    const own = round * x.length;
    turnSigns(x, signs, own);
    transform(x, round);
  }
}

/** The way back. */
export function rotateBack(x: Float64Array, signs: Float32Array): void {
  for (let round = ROTATION_ROUNDS - 1; round >= 0; round--) {
    const own = round * x.length;
    transform(x, round);
    turnSigns(x, signs, own);
  }
}

function turnSigns(x: Float64Array, signs: Float32Array, own: number): void {
  for (let j = 0; j < x.length; j++) if (signs[own + j] < 0) x[j] = -x[j];
}

/** The Hadamard transform of a round, which undoes itself: four values at a time, then two. */
function transform(x: Float64Array, round: number): void {
  const size = 2 ** Math.floor(Math.log2(x.length));
  const from = round % 2 === 0 ? 0 : x.length - size;
  const to = from + size;
  const factor = 1 / Math.sqrt(size);
  let half = 1;
  for (; half * 4 <= size; half *= 4) {
    for (let block = from; block < to; block += 4 * half) {
      for (let j = block; j < block + half; j++) {
        const a = x[j];
        const b = x[j + half];
        const c = x[j + 2 * half];
        const d = x[j + 3 * half];
        x[j] = a + b + (c + d);
        x[j + half] = a - b + (c - d);
        x[j + 2 * half] = a + b - (c + d);
        x[j + 3 * half] = a - b - (c - d);
      }
    }
  }
  if (half < size) {
    for (let j = from; j < from + half; j++) {
      const a = x[j];
      const b = x[j + half];
      x[j] = a + b;
      x[j + half] = a - b;
    }
  }
  for (let j = from; j < to; j++) x[j] *= factor;
}
