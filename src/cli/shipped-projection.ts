import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  readSafetensors,
  type SafetensorsEntry,
  toFloat32,
  toTypedArray,
} from '../formats/safetensors/safetensors.js';
import type { ModelReference } from './model.js';

/**
 * Hidden x 128 as int8, the leading principal components of many texts' tokens in descending order;
 * scripts/make-projection.mjs makes it.
 */
const FILE = new URL('./minilm-projection.safetensors', import.meta.url);

/**
 * The projection that this package brings for the model of another one, as wide as is asked for:
 * hidden x dim, its leading columns. undefined for other models and for more columns than it has.
 */
export async function shippedProjection(
  model: ModelReference,
  dim: number,
): Promise<Float32Array | undefined> {
  const where = fileURLToPath(FILE);
  const { tensors, metadata } = readSafetensors(await readFile(FILE), where);
  const [codes, factors] = ['projection', 'factors'].map(
    (name) => tensors.get(name) as SafetensorsEntry,
  );
  const [hidden, columns] = codes.shape;
  if (
    !('package' in model) ||
    metadata.model !== `${model.package}@${model.version}` ||
    dim > columns
  )
    return undefined;
  const values = toTypedArray(codes, where) as Int8Array;
  const worth = toFloat32(factors, where);
  const out = new Float32Array(hidden * dim);
  for (let i = 0; i < hidden; i++)
    for (let j = 0; j < dim; j++) out[i * dim + j] = values[i * columns + j] * worth[j];
  return out;
}
