import { learnSet } from '../collection/learn/learn-set.js';
import { chooseOptions, learnStored } from '../collection/learn/learn-stored.js';
import { learningDevice } from '../device/default-device.js';
import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import type { Encoder } from '../encoder/encoder.js';
import { isLemurError } from '../errors.js';
import { documentWeights } from '../learn/document-weights.js';
import type { ResolvedLearnOptions } from '../learn/learn-options.js';
import { learnTokenCount } from '../learn/learn-samples.js';
import { freeSolver } from '../learn/solver.js';
import type { RunOptions } from '../run-options.js';
import { allowedDocuments } from '../search/allowed-documents.js';
import {
  createFirstStage,
  type FirstStage,
  firstStageTensors,
} from '../search/prefix/first-stage.js';
import { fitPrefixMap } from '../search/prefix/prefix-map.js';
import { wholeSearch } from '../search/prefix/whole-search.js';
import { plainTokens } from '../tokens/encode-tokens.js';
import { encodingOf } from '../tokens/encodings.js';
import { longestRows, relativeLengths } from '../tokens/lengths.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { type Ground, type Setting, taking } from './setting.js';

const KINDS = ['random', 'trained'] as const;

interface FeatureStage {
  readonly stage: FirstStage;
  readonly featureMap: DeviceFeatureMap;
}

/** How features are fitted. */
export interface FeatureOptions extends RunOptions {
  readonly seed: number;
  readonly encoder: Encoder | undefined;
  /** Numbers of candidates. */
  readonly candidates: readonly number[];
}

/**
 * The learned reduction with random and with trained features: the collection's own where it has a
 * model of the documents that were taken, else as `Index.fit` would learn it. No settings of what
 * nothing can be learned from. Rejects with 'unsupported' where the device does not learn.
 */
export async function featureSettings(ground: Ground, options: FeatureOptions): Promise<Setting[]> {
  const settings: Setting[] = [];
  const own = ownStage(ground);
  const learn = await queriesToLearnFrom(ground, options);
  for (const kind of KINDS) {
    const isOwn = ground.snapshot.manifest.model?.features === kind && own !== null;
    const made = isOwn ? own : await fittedStage(ground, learn, kind, options);
    if (!made) continue;
    const name = `${kind} features${isOwn ? " (the index's)" : ''}`;
    for (const count of options.candidates) settings.push(setting(ground, kind, name, made, count));
  }
  return settings;
}

function setting(
  { device, snapshot, taken, tokens, depth, signal }: Ground,
  method: 'random' | 'trained',
  name: string,
  { stage, featureMap }: FeatureStage,
  candidates: number,
): Setting {
  const { prefixMap } = stage;
  const allowed = allowedDocuments(tokens.documentCount, null);
  const depths = { candidates, k: Math.min(depth, candidates) };
  return {
    method,
    name,
    numCandidates: candidates,
    // a full code has a factor in float32
    stageBytes: prefixMap.dim + prefixMap.mean.length + 4,
    tokenBytes: encodingOf(snapshot.manifest.precision).rowBytes(tokens.dim),
    async search(query) {
      const asked = { tokens: query, featureMap: () => featureMap };
      const found = await wholeSearch(device, { stage, tokens }, asked, {
        ...depths,
        allowed,
        signal,
      });
      return taking(taken, found.top);
    },
  };
}

/** What the collection has learned; null: nothing, or of other documents than were taken. */
function ownStage({ snapshot, taken, tokens }: Ground): FeatureStage | null {
  const { model, codes } = snapshot;
  if (!taken.isAll || !model || !codes || 'fetch' in codes || tokens !== snapshot.tokens)
    return null;
  const { featureMap, prefixMap, queryProjection } = model;
  return { stage: { prefixMap, codes, queryProjection }, featureMap };
}

function queriesToLearnFrom(
  { snapshot }: Ground,
  { encoder, seed, signal, onProgress }: FeatureOptions,
): Promise<TokenSets | undefined> {
  const chosen = fitOptions(snapshot, 'trained', seed);
  const wanted = Math.max(learnTokenCount(chosen), chosen.olsSampleSize);
  return learnSet(snapshot, encoder, undefined, wanted, seed, { signal, onProgress });
}

/** Those of the collection's model where it has one, for both kinds. */
function fitOptions(
  snapshot: Ground['snapshot'],
  kind: 'random' | 'trained',
  seed: number,
): ResolvedLearnOptions {
  const { epochs, ...sizes } = snapshot.manifest.model?.options ?? { epochs: undefined };
  // 0: what is there is random
  return chooseOptions(snapshot, {
    ...sizes,
    seed,
    epochs: kind === 'random' ? 0 : epochs || undefined,
  });
}

/** null: all documents are alike, and there is nothing to learn. */
async function fittedStage(
  { device: any, snapshot, taken, tokens, scope }: Ground,
  learn: TokenSets | undefined,
  kind: 'random' | 'trained',
  { seed, signal, onProgress }: FeatureOptions,
): Promise<FeatureStage | null> {
  const device = learningDevice(any, 'advise');
  const run = { signal, onProgress };
  const chosen = fitOptions(snapshot, kind, seed);
  const learned = learnStored(device, snapshot, undefined, learn, chosen, run);
  const reduction = await learned.catch((error: unknown) => {
    if (isLemurError(error, 'invalid-argument') && error.fields.where === 'fit') return null;
    throw error;
  });
  if (!reduction) return null;
  const { featureMap, solver, base, length } = reduction;
  scope.own(featureMap.parameters);
  try {
    const w = scope.own(await documentWeights(device, reduction, tokens, run));
    const longest = await longestRows(plainTokens(taken.tokens), signal);
    const lengths = relativeLengths(longest, length);
    const { latentDim } = featureMap.layout;
    const dim = Math.min(chosen.prefixDim, latentDim);
    const scaling = { lengths, base };
    const map = await fitPrefixMap(device, solver, w, latentDim, dim, seed, run, scaling);
    const stage = map && (await createFirstStage(device, map, w, lengths, run));
    device.free(w);
    if (stage) scope.ownAll(firstStageTensors(stage));
    return stage && { stage, featureMap };
  } finally {
    freeSolver(device, solver);
  }
}
