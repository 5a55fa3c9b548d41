import { learningDevice } from '../../device/default-device.js';
import type { Device } from '../../device/device.js';
import { buildTensors, withTensors } from '../../device/with-tensors.js';
import type { Encoder } from '../../encoder/encoder.js';
import { LemurError } from '../../errors.js';
import { describeFeatureMap } from '../../learn/feature-map-description.js';
import type { ResolvedLearnOptions } from '../../learn/learn-options.js';
import { freeReduction, type Reduction } from '../../learn/reduction.js';
import type { RunOptions } from '../../run-options.js';
import { fitPrefixMap, type PrefixMap } from '../../search/prefix/prefix-map.js';
import { type CodeRows, encodeCodes, joinCodes } from '../files/codes-file.js';
import type { FileEntry, ModelEntry, Residual } from '../files/manifest.js';
import { encodeModel } from '../files/model-file.js';
import type { Transaction } from '../files/transaction.js';
import type { FitIndexOptions } from '../options/options.js';
import { ChunkWeights, chunksOf, type DocumentChunk, spreadChunks } from './chunk-weights.js';
import type { DocumentModel } from './document-model.js';
import { chooseOptions, learnStored } from './learn-stored.js';
import { quantizeWeights } from './quantize-weights.js';
import { mergeResiduals } from './residual.js';

/** Documents whose weights the prefix map comes from at most. */
const MAP_DOCUMENTS = 16_384;

/**
 * Fits a model to the present documents: learns their reduction, gives all of them weights, and
 * these codes; a new model file, new codes for every segment, one commit. Searches go on with the
 * old state until then. Returns the model, for documents that come later.
 */
export async function fitModel(
  transaction: Transaction,
  encoder: Encoder | undefined,
  { learn, ...options }: FitIndexOptions,
): Promise<DocumentModel> {
  const { snapshot } = transaction;
  const device = learningDevice(transaction.device, 'fit');
  const { signal, onProgress } = options;
  const run = { signal, onProgress };
  const chosen = chooseOptions(snapshot, options);
  const reduction = await learnStored(device, snapshot, encoder, learn, chosen, options);
  const weights = new ChunkWeights(device, snapshot, reduction, run);
  const chunks = snapshot.segments.map((view) => chunksOf(view));
  try {
    const residual = await computeSample(weights, chunks.flat());
    const prefixMap = await mapOfSample(device, weights, reduction, chosen, run);
    return await buildTensors(device, async (scope) => {
      const { featureMap, solver, mean, std, length } = reduction;
      const queryProjection = await scope.upload('f32', prefixMap.queryProjection);
      const model = { featureMap, solver, mean, std, length, prefixMap, queryProjection };
      const codes = await writeCodes(transaction, device, model, weights, chunks, run);
      const entry = await writeModel(transaction, device, model, chosen, residual);
      signal?.throwIfAborted();
      await commitModel(transaction, entry, codes);
      return model;
    });
  } catch (error) {
    freeReduction(device, reduction);
    throw error;
  } finally {
    weights.close();
  }
}

/** Computes weights of documents from everywhere. Returns how well they explain the targets. */
async function computeSample(
  weights: ChunkWeights,
  chunks: readonly DocumentChunk[],
): Promise<Residual> {
  let residual: Residual = { documents: 0, mean: 0 };
  for (const chunk of spreadChunks(chunks, MAP_DOCUMENTS))
    residual = mergeResiduals(residual, await weights.computeAhead(chunk));
  return residual;
}

/** Rejects with 'invalid-argument' where all documents have the same weights. */
async function mapOfSample(
  device: Device,
  weights: ChunkWeights,
  { featureMap, solver }: Reduction,
  { prefixDim, seed }: ResolvedLearnOptions,
  run: RunOptions,
): Promise<PrefixMap> {
  const { latentDim } = featureMap.layout;
  const prefixMap = await withTensors(device, async (scope) => {
    const { w, scaling } = await weights.sample(scope);
    const dim = Math.min(prefixDim, latentDim);
    return fitPrefixMap(device, solver, w, latentDim, dim, seed, run, scaling);
  });
  if (prefixMap) return prefixMap;
  const problem = 'all documents have the same weights';
  const message = `fit: ${problem}: there is nothing to learn from; searches stay exact`;
  throw new LemurError('invalid-argument', message, { where: 'fit' });
}

/** Writes the codes of all documents, a file for each segment. */
async function writeCodes(
  transaction: Transaction,
  device: Device,
  model: DocumentModel,
  weights: ChunkWeights,
  segments: readonly (readonly DocumentChunk[])[],
  run: RunOptions,
): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for (const chunks of segments) {
    const parts: CodeRows[] = [];
    for (const chunk of chunks)
      parts.push(
        await weights.take(chunk, ({ w, lengths }) =>
          quantizeWeights(device, model, w, lengths, run),
        ),
      );
    files.push(
      await transaction.write(await encodeCodes(transaction.newName('codes'), joinCodes(parts))),
    );
  }
  return files;
}

async function writeModel(
  transaction: Transaction,
  device: Device,
  model: DocumentModel,
  chosen: ResolvedLearnOptions,
  residual: Residual,
): Promise<ModelEntry> {
  const { featureMap, mean, std, length, prefixMap } = model;
  const file = await encodeModel(transaction.newName('model'), device, model, model.solver);
  return {
    file: await transaction.write(file),
    features: chosen.epochs === 0 ? 'random' : 'trained',
    featureMap: describeFeatureMap(featureMap.layout),
    mean,
    std,
    length,
    prefix: { dim: prefixMap.dim, step: prefixMap.step },
    options: chosen,
    documents: transaction.snapshot.live,
    residual,
    curve: null,
  };
}

async function commitModel(
  transaction: Transaction,
  model: ModelEntry,
  codes: readonly FileEntry[],
): Promise<void> {
  await transaction.commit((manifest) => ({
    ...manifest,
    model,
    segments: manifest.segments.map((segment, i) => ({
      ...segment,
      codes: codes[i],
      fitted: segment.documents,
      residual: null,
    })),
  }));
}
