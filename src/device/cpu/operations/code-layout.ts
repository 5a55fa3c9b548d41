import { wholePanels } from '../../../kernels/kernels.js';
import type { FeatureLayout } from '../../feature-layout.js';

/**
 * A matrix of weights (outputs x inputs) at offset `weight` of the flat parameters: a layer's, or
 * the head's.
 */
export interface Linear {
  inputs: number;
  outputs: number;
  weight: number;
}

/** The matrices of a network in training, the head last. */
export function linearsOf(layout: FeatureLayout, outputs: number): Linear[] {
  return [...layout.layers, { inputs: layout.latentDim, outputs, weight: layout.parameterCount }];
}

/**
 * Where a step keeps codes of one matrix and of the batch that it is applied to: panels as offsets
 * in int16, scales as offsets in floats.
 */
export interface LinearCodes {
  /** Rows of the matrix as lanes. */
  forward: number;
  /** Its columns as lanes. */
  backward: number;
  /** Columns of the input (rows x inputs) as lanes. */
  input: number;
  /** One for each row of the matrix, to whole panels. */
  weightScales: number;
  /** One for each row of the input. */
  inputScales: number;
}

export function codeLayout(
  layout: FeatureLayout,
  outputs: number,
  batchSize: number,
): { linears: LinearCodes[]; codes: number; scales: number } {
  let codes = 0;
  let scales = 0;
  const takeCodes = (lanes: number, depth: number): number => {
    const start = codes;
    codes += wholePanels(lanes) * evenUp(depth);
    return start;
  };
  const takeScales = (count: number): number => {
    const start = scales;
    scales += wholePanels(count);
    return start;
  };
  const linears = linearsOf(layout, outputs).map((linear) => ({
    forward: takeCodes(linear.outputs, linear.inputs),
    backward: takeCodes(linear.inputs, linear.outputs),
    input: takeCodes(linear.inputs, batchSize),
    weightScales: takeScales(linear.outputs),
    inputScales: takeScales(batchSize),
  }));
  return { linears, codes, scales };
}

/** The codes of a row come in pairs. */
export function evenUp(n: number): number {
  return n + (n & 1);
}
