import { learningDevice } from '../../device/default-device.js';
import { uploadTokens } from '../../device/device-tokens.js';
import type { Tensor } from '../../device/memory.js';
import { withTensors } from '../../device/with-tensors.js';
import type { Encoder } from '../../encoder/encoder.js';
import { LemurError } from '../../errors.js';
import { documentWeights } from '../../learn/document-weights.js';
import { describeFeatureMap } from '../../learn/feature-map-description.js';
import {
  defaultLearnTokens,
  type FitOptions,
  type ResolvedLearnOptions,
} from '../../learn/learn-options.js';
import { learnReduction } from '../../learn/learn-reduction.js';
import { learnTokenCount, sampleTokens, VALIDATION_TOKENS } from '../../learn/learn-samples.js';
import { freeReduction } from '../../learn/reduction.js';
import { resolveLearnOptions } from '../../learn/resolve-learn-options.js';
import type { RunOptions } from '../../run-options.js';
import { fitPrefixMap } from '../../search/prefix/prefix-map.js';
import { joinEncoded } from '../../tokens/encode-tokens.js';
import { joinArrays } from '../../tokens/join.js';
import { longestRows } from '../../tokens/lengths.js';
import { STREAM } from '../../tokens/random-streams.js';
import { type TokenSets, tokenSetsOfDim } from '../../tokens/token-sets.js';
import { type CodeRows, encodeCodes, joinCodes } from '../files/codes-file.js';
import type { FileEntry, ModelEntry, Residual } from '../files/manifest.js';
import { encodeModel } from '../files/model-file.js';
import type { SegmentView } from '../files/open-files.js';
import type { Transaction } from '../files/transaction.js';
import type { FitIndexOptions } from '../options/options.js';
import {
  codesOf,
  combined,
  DOCUMENTS_AT_ONCE,
  residualOf,
  scalesOfSome,
  type WeightsModel,
} from './document-codes.js';
import { learnSet } from './learn-set.js';
import { sampleDocuments, sampleTokenRows, storedRows } from './sample.js';

/** Documents whose weights the map of the prefixes comes from at most. */
const MAP_DOCUMENTS = 16_384;
/** Documents of a chunk whose residuals are measured, in those that the map comes from. */
const RESIDUALS = 16;

/** Documents of one segment that are computed together. */
interface Chunk {
  view: SegmentView;
  from: number;
  to: number;
}

/**
 * Learns the present documents and gives all of them codes: a new model, new codes for every
 * segment, one commit. Searches go on with the old state until then. Returns the model with its
 * solver, for documents that come later.
 */
export async function fitIndex(
  store: Transaction,
  encoder: Encoder | undefined,
  { learn: given, ...options }: FitIndexOptions,
): Promise<WeightsModel> {
  const { snapshot } = store;
  const device = learningDevice(store.device, 'fit');
  const { signal } = options;
  const chosen = chooseOptions(store, options);
  const wanted = Math.max(learnTokenCount(chosen), chosen.olsSampleSize);
  const learn = await learnSet(snapshot, encoder, given, wanted, chosen.seed, options);
  const learned = await learnFrom(store, learn, chosen, options);
  const { map, solver, mean, std, length, base } = learned;
  const chunks = snapshot.segments.flatMap((view) => chunksOf(view));
  const kept = new Map<Chunk, { w: Tensor<'f32'>; scales: Float32Array | null }>();
  const progress = progressOf(options, snapshot.documents);
  const read = ({ view, from, to }: Chunk) => {
    signal?.throwIfAborted();
    return view.segment.readTokens(from, to);
  };
  let queryProjection: Tensor<'f32'> | undefined;
  try {
    // weights of documents from everywhere give the map
    let residual: Residual = { documents: 0, mean: 0 };
    for (const chunk of spread(chunks)) {
      const sets = joinEncoded(await read(chunk), snapshot.codec);
      await withTensors(device, async (scope) => {
        const tokens = await uploadTokens(scope, sets);
        const scales = await scalesOfSome(learned, sets, options);
        const w = await documentWeights(device, learned, tokens, { signal });
        kept.set(chunk, { w, scales });
        const few = Array.from({ length: Math.min(RESIDUALS, chunk.to - chunk.from) }, (_, i) =>
          Math.floor((i * (chunk.to - chunk.from)) / Math.min(RESIDUALS, chunk.to - chunk.from)),
        );
        residual = combined(residual, await residualOf(device, learned, tokens, w, few));
      });
      progress(chunk.to - chunk.from);
    }
    const { latentDim } = map.layout;
    const sampled = [...kept.values()];
    const scaling = {
      scales: joinScales(sampled.map(({ w, scales }) => scales ?? w.length / latentDim)),
      base,
    };
    const prefixMap = await withTensors(device, async (scope) => {
      const weights = sampled.map(({ w }) => w);
      return fitPrefixMap(
        device,
        solver,
        await scope.join('f32', weights),
        latentDim,
        Math.min(chosen.prefixDim, latentDim),
        chosen.seed,
        options,
        scaling,
      );
    });
    if (!prefixMap) {
      const message =
        'fit: all documents have the same weights: there is nothing to learn from; searches stay exact';
      throw new LemurError('invalid-argument', message, { where: 'fit' });
    }
    queryProjection = await device.upload('f32', prefixMap.queryProjection);
    const model: WeightsModel = { map, solver, mean, std, length, prefixMap, queryProjection };

    const codes: FileEntry[] = [];
    for (const view of snapshot.segments) {
      const parts: CodeRows[] = [];
      for (const chunk of chunks.filter((candidate) => candidate.view === view)) {
        let found = kept.get(chunk);
        if (!found) {
          const sets = joinEncoded(await read(chunk), snapshot.codec);
          found = await withTensors(device, async (scope) => {
            const tokens = await uploadTokens(scope, sets);
            const scales = await scalesOfSome(learned, sets, options);
            const w = await documentWeights(device, learned, tokens, { signal });
            return { w, scales };
          });
          progress(chunk.to - chunk.from);
        }
        try {
          parts.push(await codesOf(device, model, found.w, found.scales, options));
        } finally {
          device.free(found.w);
          kept.delete(chunk);
        }
      }
      codes.push(await store.write(await encodeCodes(store.newName('codes'), joinCodes(parts))));
    }
    const entry: ModelEntry = {
      file: await store.write(await encodeModel(store.newName('model'), device, model, solver)),
      features: chosen.epochs === 0 ? 'random' : 'trained',
      featureMap: describeFeatureMap(map.layout),
      mean,
      std,
      length,
      prefix: { dim: prefixMap.dim, step: prefixMap.step },
      options: chosen,
      documents: snapshot.live,
      residual,
      curve: null,
    };
    signal?.throwIfAborted();
    await store.commit((manifest) => ({
      ...manifest,
      model: entry,
      segments: manifest.segments.map((segment, i) => ({
        ...segment,
        codes: codes[i],
        fitted: segment.documents,
        residual: null,
      })),
    }));
    return model;
  } catch (error) {
    freeReduction(device, learned);
    if (queryProjection) device.free(queryProjection);
    throw error;
  } finally {
    device.free(...[...kept.values()].map(({ w }) => w));
  }
}

function chooseOptions({ snapshot }: Transaction, options: FitOptions): ResolvedLearnOptions {
  const { precision } = snapshot.manifest;
  const chosen = resolveLearnOptions({ precision, ...options });
  if (options.learnSubsetSize !== undefined) return chosen;
  const tokens = snapshot.segments.reduce((sum, { entry }) => sum + entry.tokens, 0);
  return { ...chosen, learnSubsetSize: defaultLearnTokens(tokens) };
}

/**
 * Feature map and solver, from samples of the learn set, or of the documents' own tokens where
 * there is none.
 */
async function learnFrom(
  store: Transaction,
  learn: TokenSets | undefined,
  chosen: ResolvedLearnOptions,
  options: FitOptions,
) {
  const { snapshot } = store;
  const device = learningDevice(store.device, 'fit');
  const { dim } = snapshot.manifest;
  const { seed } = chosen;
  const { signal } = options;
  const rowsOf = async (
    sets: TokenSets | undefined,
    count: number,
    stream: number,
  ): Promise<Float32Array> => {
    if (!sets) return sampleTokenRows(snapshot, count, seed, stream, signal);
    return sampleTokens(sets, count, seed, stream);
  };
  const test = options.test && (await tokenSetsOfDim(options.test, dim, 'test', signal));
  const samples = {
    learn: await rowsOf(learn, learnTokenCount(chosen), STREAM.storedLearnTokens),
    solve: await rowsOf(learn, chosen.olsSampleSize, STREAM.storedSolveSample),
    validation: test ? await rowsOf(test, VALIDATION_TOKENS, STREAM.storedValidationTokens) : null,
  };
  if (samples.solve.every((value) => value === 0)) {
    const message =
      'fit: the token vectors to learn from are zero throughout: there is nothing to learn; searches stay exact';
    throw new LemurError('invalid-argument', message, { where: 'fit' });
  }
  const numbers = sampleDocuments(
    snapshot,
    chosen.trainSubsetSize,
    seed,
    STREAM.storedTrainDocuments,
  );
  const sets = joinEncoded(await storedRows(snapshot, numbers, signal), snapshot.codec);
  return withTensors(device, async (scope) => {
    const tokens = await uploadTokens(scope, sets);
    const lengths = await longestRows(sets, signal);
    return learnReduction(device, tokens, lengths, samples, chosen, options);
  });
}

/** Scales of several groups as one, a number standing for so many of 1; null where all are 1. */
function joinScales(parts: readonly (Float32Array | number)[]): Float32Array | null {
  if (parts.every((part) => typeof part === 'number')) return null;
  return joinArrays(
    parts.map((part) => (typeof part === 'number' ? new Float32Array(part).fill(1) : part)),
    (length) => new Float32Array(length),
  );
}

function chunksOf(view: SegmentView): Chunk[] {
  const { documents } = view.segment;
  return Array.from({ length: Math.ceil(documents / DOCUMENTS_AT_ONCE) }, (_, i) => ({
    view,
    from: i * DOCUMENTS_AT_ONCE,
    to: Math.min(documents, (i + 1) * DOCUMENTS_AT_ONCE),
  }));
}

/** Chunks from all over the collection, as many as the map needs. */
function spread(chunks: readonly Chunk[]): Chunk[] {
  const total = chunks.reduce((sum, { from, to }) => sum + to - from, 0);
  const share = Math.min(1, MAP_DOCUMENTS / total);
  const chosen: Chunk[] = [];
  let seen = 0;
  let taken = 0;
  for (const chunk of chunks) {
    seen += chunk.to - chunk.from;
    if (taken >= seen * share) continue;
    chosen.push(chunk);
    taken += chunk.to - chunk.from;
  }
  return chosen;
}

function progressOf({ onProgress }: RunOptions, total: number): (done: number) => void {
  let done = 0;
  return (more) => {
    done += more;
    onProgress?.({ stage: 'document weights', done, total });
  };
}
