import type { Lemur } from '../../dist/entry/node.js';
import { bytesOf, randomTexts } from '../numbers.js';
import { smallQueries } from './corpus.js';

export const added = randomTexts(7, [3, 9, 1], 16);

/** All that a saved and loaded Lemur must give again, to the last byte. */
export async function answers(lemur: Lemur): Promise<Record<string, unknown>> {
  const { indices, scores } = await lemur.candidates(smallQueries, 12);
  return {
    shape: [lemur.documents, lemur.dim, lemur.latentDim],
    moments: [lemur.mean, lemur.std],
    options: lemur.options,
    w: await bytesOf(await lemur.W),
    features: await bytesOf(await lemur.computeFeatures(smallQueries)),
    added: await bytesOf(await lemur.computeWeights(added)),
    candidates: [await bytesOf(indices), await bytesOf(scores)],
  };
}
