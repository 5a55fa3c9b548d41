import { type Operation, SCRATCH_SLACK } from './operation.js';
import type { StepArgs } from './train-products.js';

/** Parameters of a block of the update. */
const PARAMETERS = 1 << 16;

/** Adam over the flat parameters. */
export const trainUpdate: Operation<StepArgs & { gradScale: number }> = {
  blocks: ({ training }) => Math.ceil(training.parameters.length / PARAMETERS),
  scratchBytes: () => SCRATCH_SLACK,
  run(context, { training, step, gradScale }, block) {
    const from = block * PARAMETERS;
    const count = Math.min(PARAMETERS, training.parameters.length - from);
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
