import { type Operation, SCRATCH_SLACK } from './operation.js';
import { gradientNorm, partialsOf } from './train-partials.js';
import type { StepArgs } from './train-products.js';

/** Parameters of a block of the update. */
const PARAMETERS = 1 << 14;

/**
 * Adam over the flat parameters. Each block adds up the squares of the gradients itself: they are
 * few, and the step then needs no trip to the host between.
 */
export const trainUpdate: Operation<StepArgs> = {
  blocks: ({ training }) => Math.ceil(training.parameters.length / PARAMETERS),
  scratchBytes: () => SCRATCH_SLACK,
  run(context, { training, step, turn }, block) {
    const from = block * PARAMETERS;
    const count = Math.min(PARAMETERS, training.parameters.length - from);
    const norm = gradientNorm(
      training,
      partialsOf(training, context.view(training.partials), turn),
    );
    const gradScale = step.gradClip === null ? 1 : Math.min(1, step.gradClip / (norm + 1e-6));
    const rate = step.lr / step.correction1;
    const root = Math.sqrt(step.correction2);
    const [p, g, m, v] = [
      training.parameters,
      training.gradients,
      training.firstMoment,
      training.secondMoment,
    ].map((t) => context.address(t, from));
    context.kernels.adam(
      p,
      g,
      m,
      v,
      count,
      gradScale,
      rate,
      step.beta1,
      step.beta2,
      root,
      step.eps,
    );
  },
};
