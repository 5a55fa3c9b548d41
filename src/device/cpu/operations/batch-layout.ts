import type { FeatureLayout } from '../../feature-layout.js';

/**
 * What one layer keeps of a batch, as offsets in floats; each rows x outputs but `inverse` (rows).
 */
export interface LayerBatch {
  /** (linear output - mean) / deviation. */
  normal: number;
  inverse: number;
  /** Input of the activation; then the activation's slope there. */
  slope: number;
  /** Gradient with respect to the input of the activation. */
  gradPreactivation: number;
  activation: number;
  /** Gradient with respect to the linear output. */
  gradLinear: number;
}

/**
 * A training batch in one flat array: tokens (rows x d), layers, predictions (rows x outputs),
 * which become their gradients.
 */
export interface BatchLayout {
  x: number;
  layers: LayerBatch[];
  predictions: number;
  length: number;
}

export function batchLayout(layout: FeatureLayout, outputs: number, rows: number): BatchLayout {
  let at = 0;
  const take = (length: number): number => {
    const start = at;
    at += Math.ceil(length / 4) * 4;
    return start;
  };
  const x = take(rows * layout.inputDim);
  const layers = layout.layers.map((layer) => ({
    normal: take(rows * layer.outputs),
    inverse: take(rows),
    slope: take(rows * layer.outputs),
    gradPreactivation: take(rows * layer.outputs),
    activation: take(rows * layer.outputs),
    gradLinear: take(rows * layer.outputs),
  }));
  const predictions = take(rows * outputs);
  return { x, layers, predictions, length: at };
}
