import { ACTIVATIONS, type Kernels } from '../../../kernels/kernels.js';
import { type FeatureLayout, type LayerLayout, widestLayer } from '../../feature-layout.js';
import type { Context } from './operation.js';

export const LAYER_NORM_EPS = 1e-5;

/** Bytes of scratch of `forward` for `rows` rows. */
export function forwardScratch(layout: FeatureLayout, rows: number): number {
  return 4 * (3 * rows * (widestLayer(layout) + 4) + gemmScratch(rows));
}

/** Floats of scratch of the matrix product with `rows` rows on the left. */
export function gemmScratch(rows: number): number {
  return (rows + 18) * 256;
}

/**
 * psi of `rows` rows at address `x`: returns the address of rows x d' in scratch. `parameters` is
 * the address of the flat parameters; `product`: of the rows' products with the first layer's
 * weights, where these are there already, else 0.
 */
export function forward(
  context: Context,
  layout: FeatureLayout,
  parameters: number,
  x: number,
  rows: number,
  product = 0,
): number {
  const { kernels } = context;
  const activation = ACTIVATIONS.indexOf(layout.activation);
  const packed = context.scratch(gemmScratch(rows) * 4);
  const inverse = context.scratch(rows * 4);
  const width = widestLayer(layout) + 4;
  let free = context.scratch(rows * width * 4);
  let input = x;
  let output = context.scratch(rows * width * 4);
  for (const layer of layout.layers) {
    const { outputs } = layer;
    if (product > 0 && layer === layout.layers[0]) {
      const length = rows * outputs;
      context.at('f32', output, length).set(context.at('f32', product, length));
    } else multiply(kernels, layer, parameters, input, rows, output, packed);
    if (layout.kind === 'random') {
      kernels.activation(activation, output, rows * outputs, output, 0);
      kernels.standardise(output, rows * outputs, 0, Math.fround(Math.sqrt(2 / outputs)));
      kernels.layerNorm(output, rows, outputs, LAYER_NORM_EPS, 0, 0, output, inverse, output);
    } else {
      kernels.addBias(output, rows, outputs, parameters + layer.bias * 4);
      kernels.layerNorm(
        output,
        rows,
        outputs,
        LAYER_NORM_EPS,
        parameters + layer.gamma * 4,
        parameters + layer.beta * 4,
        output,
        inverse,
        output,
      );
      kernels.activation(activation, output, rows * outputs, output, 0);
    }
    input = output;
    output = free;
    free = input;
  }
  return input;
}

/** output (rows x outputs) = input times the weights of a layer. */
function multiply(
  kernels: Kernels,
  { inputs, outputs, weight }: LayerLayout,
  parameters: number,
  input: number,
  rows: number,
  output: number,
  scratch: number,
): void {
  const matrix = parameters + weight * 4;
  kernels.gemmF32(
    rows,
    outputs,
    inputs,
    input,
    inputs,
    1,
    matrix,
    1,
    inputs,
    output,
    outputs,
    0,
    scratch,
  );
}
