import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LemurError } from '../../errors.js';
import {
  readSafetensors,
  type SafetensorsEntry,
  toFloat32,
  toTypedArray,
} from '../../formats/safetensors/safetensors.js';

const NAME = 'minilm-projection.safetensors';

/**
 * The projection that comes with this package for the model of another one, such as
 * `name@1.0.0`, as wide as is asked for: hidden x dim, its leading columns. undefined for other
 * models and for more columns than it has.
 */
export async function shippedProjection(
  model: string,
  dim: number,
): Promise<Float32Array | undefined> {
  const where = projectionFile();
  const { tensors, metadata } = readSafetensors(await readFile(where), where);
  const [codes, factors] = ['projection', 'factors'].map(
    (name) => tensors.get(name) as SafetensorsEntry,
  );
  const [hidden, columns] = codes.shape;
  if (metadata.model !== model || dim > columns) return undefined;
  const values = toTypedArray(codes, where) as Int8Array;
  const worth = toFloat32(factors, where);
  const out = new Float32Array(hidden * dim);
  for (let i = 0; i < hidden; i++)
    for (let j = 0; j < dim; j++) out[i * dim + j] = values[i * columns + j] * worth[j];
  return out;
}

/**
 * Hidden x 128 as int8, the leading principal components of many texts' tokens in descending order;
 * scripts/make-projection.mjs makes it. A program bundled into one file has it in the package that
 * it was bundled from. Raises 'missing-package'.
 */
function projectionFile(): string {
  try {
    const beside = fileURLToPath(new URL('./minilm-projection.safetensors', import.meta.url));
    if (existsSync(beside)) return beside;
  } catch {
    // bundled as CommonJS: no address of its own
  }
  try {
    const { resolve } = createRequire(process.argv[1] ?? join(process.cwd(), 'program.js'));
    return join(dirname(resolve('lemur/package.json')), 'dist/encoder/default', NAME);
  } catch (cause) {
    const problem =
      `${NAME} is not beside the program, expected the package lemur in its ` +
      'node_modules (or name a model)';
    throw new LemurError(
      'missing-package',
      problem,
      { where: 'model', package: 'lemur' },
      { cause },
    );
  }
}
