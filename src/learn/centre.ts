import type { FeatureLayout } from '../device/feature-layout.js';

/** Mean of rows x dim, in float64. */
export function meanRow(rows: Float32Array, dim: number): Float64Array {
  const sums = new Float64Array(dim);
  for (let at = 0; at < rows.length; at += dim)
    for (let j = 0; j < dim; j++) sums[j] += rows[at + j];
  return sums.map((sum) => (sum * dim) / rows.length);
}

/** Rows less `centre`. */
export function centreRows(rows: Float32Array, centre: Float32Array | Float64Array): Float32Array {
  const dim = centre.length;
  const out = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += dim)
    for (let j = 0; j < dim; j++) out[at + j] = rows[at + j] - centre[j];
  return out;
}

/**
 * Parameters learned on x - centre become parameters for x, in place: A (x - c) + b = A x + (b - A
 * c).
 */
export function absorbCentre(
  { layers: [first] }: FeatureLayout,
  parameters: Float32Array,
  centre: Float64Array,
): Float32Array {
  const { inputs, outputs, weight, bias } = first;
  for (let o = 0; o < outputs; o++) {
    let shift = 0;
    for (let i = 0; i < inputs; i++) shift += parameters[weight + o * inputs + i] * centre[i];
    parameters[bias + o] -= shift;
  }
  return parameters;
}
