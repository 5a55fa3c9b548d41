import type { FeatureLayout } from '../device/feature-layout.js';
import type { Random } from '../tokens/random.js';

/**
 * Parameters before training, as torch initialises them: weights and biases of a Linear uniform in
 * +-1 / sqrt(inputs), LayerNorm gains 1 and shifts 0. Random features: standard normal weights.
 * `outputs` rows of the head follow (0: none).
 */
export function initialParameters(
  layout: FeatureLayout,
  outputs: number,
  random: Random,
): Float32Array {
  const parameters = new Float32Array(layout.parameterCount + outputs * layout.latentDim);
  for (const layer of layout.layers) {
    const weights = parameters.subarray(layer.weight, layer.weight + layer.inputs * layer.outputs);
    if (layout.kind === 'random') {
      for (let i = 0; i < weights.length; i++) weights[i] = random.normal();
      continue;
    }
    fillUniform(weights, layer.inputs, random);
    fillUniform(parameters.subarray(layer.bias, layer.bias + layer.outputs), layer.inputs, random);
    parameters.fill(1, layer.gamma, layer.gamma + layer.outputs);
  }
  fillUniform(parameters.subarray(layout.parameterCount), layout.latentDim, random);
  return parameters;
}

function fillUniform(values: Float32Array, inputs: number, random: Random): void {
  const bound = 1 / Math.sqrt(inputs);
  for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * bound;
}
