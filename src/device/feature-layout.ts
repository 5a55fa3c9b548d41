import type { Activation } from '../kernels/kernels.js';

/**
 * One Linear (weight outputs x inputs, bias) and its LayerNorm, as offsets into the flat
 * parameters.
 */
export interface LayerLayout {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: number;
  readonly bias: number;
  readonly gamma: number;
  readonly beta: number;
}

/**
 * Where the parameters of a feature map psi: R^d -> R^d' lie in one flat float32 array, in the
 * order of the layers. `mlp`: each layer is Linear, LayerNorm (eps 1e-5), activation. `random`: one
 * layer without bias, activation, scale sqrt(2 / d'), LayerNorm without affine (gamma and beta
 * unused).
 */
export interface FeatureLayout {
  readonly kind: 'mlp' | 'random';
  readonly inputDim: number;
  readonly latentDim: number;
  readonly activation: Activation;
  readonly layers: readonly LayerLayout[];
  readonly parameterCount: number;
}

/** Widest layer, input included: what one row of scratch needs. */
export function widestLayer(layout: FeatureLayout): number {
  return Math.max(layout.inputDim, ...layout.layers.map((layer) => layer.outputs));
}

/**
 * A trained feature map with `dims` = outputs of each layer, the last being the latent dimension.
 */
export function mlpLayout(
  inputDim: number,
  dims: readonly number[],
  activation: Activation,
): FeatureLayout {
  let at = 0;
  let inputs = inputDim;
  const layers = dims.map((outputs) => {
    const weight = at;
    const bias = weight + inputs * outputs;
    const layer = {
      inputs,
      outputs,
      weight,
      bias,
      gamma: bias + outputs,
      beta: bias + 2 * outputs,
    };
    at = bias + 3 * outputs;
    inputs = outputs;
    return layer;
  });
  return { kind: 'mlp', inputDim, latentDim: inputs, activation, layers, parameterCount: at };
}

/**
 * Random features of `latentDim` dimensions; the weight is stored outputs x inputs like any other.
 */
export function randomLayout(
  inputDim: number,
  latentDim: number,
  activation: Activation,
): FeatureLayout {
  const layer = { inputs: inputDim, outputs: latentDim, weight: 0, bias: -1, gamma: -1, beta: -1 };
  return {
    kind: 'random',
    inputDim,
    latentDim,
    activation,
    layers: [layer],
    parameterCount: inputDim * latentDim,
  };
}
