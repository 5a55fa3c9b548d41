import { batchLayout } from './batch-layout.js';
import { type Operation, SCRATCH_SLACK } from './operation.js';
import { gradientBlocks, OUTPUTS, partialLayout, partialsOf } from './train-partials.js';
import { productsOf, productsScratch, type StepArgs } from './train-products.js';

/**
 * Gradients of the parameters, 64 outputs of one matrix a block; partials get the sum of their
 * squares.
 */
export const trainGradients: Operation<StepArgs> = {
  blocks: ({ training }) => gradientBlocks(training),
  scratchBytes: ({ training }) => SCRATCH_SLACK + productsScratch(training, OUTPUTS),
  run(context, args, block) {
    const { training, step, turn } = args;
    const { kernels } = context;
    const { layout, outputs } = training;
    const gradients = context.address(training.gradients);
    const batch = context.address(training.batch);
    const plan = batchLayout(layout, outputs, training.batchSize);
    const { rows } = step;
    const partials = partialsOf(training, context.view(training.partials), turn).subarray(
      partialLayout(training).squares,
    );
    let rest = block;
    let squares = 0;
    for (const [l, layer] of layout.layers.entries()) {
      const { inputs, outputs: n } = layer;
      const count = Math.ceil(n / OUTPUTS);
      if (rest >= count) {
        rest -= count;
        continue;
      }
      const first = rest * OUTPUTS;
      const used = Math.min(OUTPUTS, n - first);
      const own = plan.layers[l];
      const input = batch + (l === 0 ? plan.x : plan.layers[l - 1].activation) * 4;
      const gradLinear = batch + (own.gradLinear + first) * 4;
      const gradPre = batch + (own.gradPreactivation + first) * 4;
      const weight = gradients + (layer.weight + first * inputs) * 4;
      productsOf(context, args, l).gradient(first, used, batch + own.gradLinear * 4, input, weight);
      squares += kernels.sumSquares(weight, used * inputs);
      const [bias, gamma, beta] = [layer.bias, layer.gamma, layer.beta].map(
        (offset) => gradients + (offset + first) * 4,
      );
      kernels.sumRows(gradLinear, rows, used, n, 0, bias);
      kernels.sumProducts(gradPre, batch + (own.normal + first) * 4, rows, used, n, gamma);
      kernels.sumRows(gradPre, rows, used, n, 0, beta);
      for (const vector of [bias, gamma, beta]) squares += kernels.sumSquares(vector, used);
      partials[block] = squares;
      return;
    }
    const { latentDim } = layout;
    const first = rest * OUTPUTS;
    const used = Math.min(OUTPUTS, outputs - first);
    const head = gradients + (layout.parameterCount + first * latentDim) * 4;
    const latent = batch + plan.layers[plan.layers.length - 1].activation * 4;
    productsOf(context, args, layout.layers.length).gradient(
      first,
      used,
      batch + plan.predictions * 4,
      latent,
      head,
    );
    partials[block] = kernels.sumSquares(head, used * latentDim);
  },
};
