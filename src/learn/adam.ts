import type { TrainStep } from '../device/training.js';
import { createSchedule, type ScheduleName } from './schedule.js';

const BETA2 = 0.999;
const EPS = 1e-8;

/** The numbers of one step of Adam. */
export type AdamStep = Pick<
  TrainStep,
  'lr' | 'beta1' | 'beta2' | 'correction1' | 'correction2' | 'eps'
>;

/**
 * The steps of Adam by a schedule, one for each call. The bias correction is that of torch: the
 * beta1 of this step to the power of the number of steps.
 */
export function adamSteps(name: ScheduleName, lr: number, steps: number): () => AdamStep {
  const schedule = createSchedule(name, lr, steps);
  let step = 0;
  let power1 = 1;
  let power2 = 1;
  return () => {
    const { lr, beta1 } = schedule(step);
    step++;
    power1 = name === 'constant' ? power1 * beta1 : integerPower(beta1, step);
    power2 *= BETA2;
    return {
      lr,
      beta1,
      beta2: BETA2,
      correction1: 1 - power1,
      correction2: 1 - power2,
      eps: EPS,
    };
  };
}

/** base^n by squaring: the same bits everywhere, which Math.pow does not promise. */
function integerPower(base: number, n: number): number {
  let result = 1;
  for (let square = base; n > 0; n = Math.floor(n / 2), square *= square)
    if (n % 2 === 1) result *= square;
  return result;
}
