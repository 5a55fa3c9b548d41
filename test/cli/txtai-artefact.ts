import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/formats/safetensors/safetensors.js';
import { tokensOf } from './token-data.js';

/** Latent dimension of the artefact. */
export const LATENT = 10;

/** A LEMUR artefact of random features as txtai saves it, with a centre or without. */
export async function writeTxtai(
  folder: string,
  dim: number,
  center?: Float32Array,
): Promise<void> {
  const { vectors: sample } = tokensOf(20, dim, 7);
  const { vectors: weight } = tokensOf(LATENT, dim, 8, () => 1);
  const config = {
    ...{ activation: 'relu', finalhiddendim: LATENT, hiddendim: 16, inputdim: dim },
    ...{ layers: 1, modeltype: 'elm', queryscale: 32, seed: 42 },
  };
  const tensors = {
    'featureextractor.0.weight': { shape: [dim, LATENT], data: weight },
    'lemur.mean': { shape: [1], data: Float32Array.of(0.4) },
    'lemur.std': { shape: [1], data: Float32Array.of(0.15) },
    'lemur.sample': { shape: [sample.length / dim, dim], data: sample },
    ...(center && { 'lemur.center': { shape: [dim], data: center } }),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
}
