import type { FeatureLayout } from '../device/feature-layout.js';

/**
 * A tensor of a torch feature extractor, its shape, and where its values lie in our flat
 * parameters.
 */
export interface FeatureTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly at: number;
}

/**
 * Tensors of a `Sequential` of Linear, LayerNorm and activation for each layer, numbered on end;
 * activations have none.
 */
export function featureTensors(layout: FeatureLayout, prefix: string): FeatureTensor[] {
  return layout.layers.flatMap(({ weight, bias, gamma, beta, inputs, outputs }, i) => [
    { name: `${prefix}.${3 * i}.weight`, shape: [outputs, inputs], at: weight },
    { name: `${prefix}.${3 * i}.bias`, shape: [outputs], at: bias },
    { name: `${prefix}.${3 * i + 1}.weight`, shape: [outputs], at: gamma },
    { name: `${prefix}.${3 * i + 1}.bias`, shape: [outputs], at: beta },
  ]);
}
