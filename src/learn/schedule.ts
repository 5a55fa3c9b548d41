/** Learning rate and beta1 of every step of a run. */
export type Schedule = (step: number) => { lr: number; beta1: number };

/**
 * How the learning rate goes: `one-cycle` rises to `lr` in the first tenth of the steps and falls
 * to almost nothing; `constant` stays.
 */
export type ScheduleName = 'one-cycle' | 'constant';

const WARM_UP = 0.1;
const START_DIVISOR = 25;
const END_DIVISOR = 1e4;
const SLOWEST_BETA1 = 0.85;
const HIGHEST_BETA1 = 0.95;

/**
 * `constant`: lr throughout, beta1 0.9, as the reference trains. `one-cycle` (Smith; torch's
 * OneCycleLR): from lr / 25 up to lr in the first tenth of the steps, down to lr / 250,000 at the
 * end, along half cosines; beta1 runs the other way, 0.95 to 0.85 and back.
 */
export function createSchedule(name: ScheduleName, lr: number, steps: number): Schedule {
  if (name === 'constant') return () => ({ lr, beta1: 0.9 });
  const top = WARM_UP * steps - 1;
  const last = steps - 1;
  const start = lr / START_DIVISOR;
  return (step) => {
    if (step <= top) {
      const t = step / Math.max(top, 1e-9);
      return {
        lr: cosineBetween(start, lr, t),
        beta1: cosineBetween(HIGHEST_BETA1, SLOWEST_BETA1, t),
      };
    }
    const t = (step - top) / Math.max(last - top, 1e-9);
    return {
      lr: cosineBetween(lr, start / END_DIVISOR, t),
      beta1: cosineBetween(SLOWEST_BETA1, HIGHEST_BETA1, t),
    };
  };
}

/** Half a cosine from a at t = 0 to b at t = 1. */
function cosineBetween(a: number, b: number, t: number): number {
  return b + ((a - b) / 2) * (1 + cosine(Math.PI * Math.min(1, Math.max(0, t))));
}

/** cos x for 0 <= x <= pi by its series at pi / 2: engines differ in the last bit of Math.cos. */
function cosine(x: number): number {
  const y = x - Math.PI / 2;
  let term = y;
  let sum = y;
  for (let k = 1; k < 14; k++) {
    term *= (-y * y) / (2 * k * (2 * k + 1));
    sum += term;
  }
  return -sum;
}
