import { invalidArgument } from '../errors.js';

/**
 * Sweeps for one eigenvalue, of which two are usual, with off-diagonals held to their own
 * neighbours alone.
 */
const PATIENCE = 8;

/**
 * Implicit QL on the symmetric tridiagonal matrix with the given diagonal (n) and off-diagonal (n,
 * the last unused): takes `off` to zero by plane rotations and applies them to the rows of z (n x
 * n); `diagonal` becomes the eigenvalues, in no order. Yields after some milliseconds' work.
 */
export function* diagonalise(
  diagonal: Float64Array,
  off: Float64Array,
  z: Float64Array,
  n: number,
): Generator<undefined, void> {
  const epsilon = 2 ** -52;
  let scale = 0;
  for (let i = 0; i < n; i++) scale = Math.max(scale, Math.abs(diagonal[i]) + Math.abs(off[i]));
  // rotations are collected and applied a stripe of columns at a time, which then stays in cache
  const rotations = new Rotations(16 * n);

  for (let l = 0; l < n; l++) {
    for (let sweep = 0; ; sweep++) {
      // what is small beside the whole matrix counts once this takes long: of fewer rows than
      // dimensions nothing but rounding is left, and that never becomes small beside itself
      const floor = (sweep < PATIENCE ? epsilon : 1) * scale;
      // the block l..m is what still hangs together
      let m = l;
      while (
        m < n - 1 &&
        Math.abs(off[m]) > epsilon * (Math.abs(diagonal[m]) + Math.abs(diagonal[m + 1]) + floor)
      )
        m++;
      if (m === l) break;
      if (sweep === 60) {
        const where = 'symmetricEigen';
        throw invalidArgument(where, 'no convergence; are the values near the limits of float64?');
      }
      if (rotations.length + (m - l) > rotations.capacity) {
        rotations.applyTo(z, n);
        yield;
      }
      qlSweep(diagonal, off, l, m, rotations);
    }
  }
  rotations.applyTo(z, n);
}

/**
 * One sweep over the block l..m, with the shift by the eigenvalue of the leading 2 x 2 that is
 * nearer to diagonal[l].
 */
function qlSweep(
  diagonal: Float64Array,
  off: Float64Array,
  l: number,
  m: number,
  rotations: Rotations,
): void {
  const t = (diagonal[l + 1] - diagonal[l]) / (2 * off[l]);
  const root = hypotenuse(t, 1);
  let g = diagonal[m] - diagonal[l] + off[l] / (t < 0 ? t - root : t + root);
  let c = 1;
  let s = 1;
  let shift = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * off[i];
    const b = c * off[i];
    const r = hypotenuse(f, g);
    off[i + 1] = r;
    if (r === 0) {
      // the block has split by itself
      diagonal[i + 1] -= shift;
      off[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = diagonal[i + 1] - shift;
    const d = (diagonal[i] - g) * s + 2 * c * b;
    shift = s * d;
    diagonal[i + 1] = g + shift;
    g = c * d - b;
    rotations.push(i, c, s);
  }
  diagonal[l] -= shift;
  off[l] = g;
  off[m] = 0;
}

/** Plane rotations of neighbouring rows i and i + 1, in order. */
class Rotations {
  readonly capacity: number;
  length = 0;
  readonly #rows: Int32Array;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#rows = new Int32Array(capacity);
    this.#cosines = new Float64Array(capacity);
    this.#sines = new Float64Array(capacity);
  }

  push(row: number, cosine: number, sine: number): void {
    this.#rows[this.length] = row;
    this.#cosines[this.length] = cosine;
    this.#sines[this.length] = sine;
    this.length++;
  }

  /** Applies all to the n x n `z` and forgets them. */
  applyTo(z: Float64Array, n: number): void {
    const stripe = 32;
    for (let from = 0; from < n; from += stripe) {
      const to = Math.min(n, from + stripe);
      for (let r = 0; r < this.length; r++)
        rotate(z, this.#rows[r] * n, n, from, to, this.#cosines[r], this.#sines[r]);
    }
    this.length = 0;
  }
}

function rotate(
  z: Float64Array,
  at: number,
  n: number,
  from: number,
  to: number,
  c: number,
  s: number,
): void {
  for (let j = at + from; j < at + to; j++) {
    const x = z[j];
    const y = z[j + n];
    z[j + n] = s * x + c * y;
    z[j] = c * x - s * y;
  }
}

/** sqrt(a^2 + b^2) without overflow; Math.hypot differs between engines. */
function hypotenuse(a: number, b: number): number {
  const x = Math.abs(a);
  const y = Math.abs(b);
  const large = Math.max(x, y);
  if (large === 0) return 0;
  const ratio = Math.min(x, y) / large;
  return large * Math.sqrt(1 + ratio * ratio);
}
