import { readFileSync } from 'node:fs';
import { readNpy } from '../../dist/formats/npy/npy.js';

const folder = new URL('../fixtures/parity/', import.meta.url);

/** The scalars of the reference run. */
export const scalars = JSON.parse(readFileSync(new URL('parity.json', folder), 'utf8')) as {
  documents: number;
  dim: number;
  hidden: number;
  mean: number;
  std: number;
  batch_size: number;
  lr: number;
  grad_clip: number;
  step_losses: number[];
  step_gradient_norms: number[];
  query_feature_scale: number;
};

export function floats(name: string): Float32Array {
  return readNpy(readFileSync(new URL(`${name}.npy`, folder))).data as Float32Array;
}

export function integers(name: string): Int32Array {
  return readNpy(readFileSync(new URL(`${name}.npy`, folder))).data as Int32Array;
}
