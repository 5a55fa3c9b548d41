import { pacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { joinTexts } from '../../tokens/join.js';
import { meanToken } from '../../tokens/quantize.js';
import { STREAM } from '../../tokens/random-streams.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import type { Snapshot } from '../files/snapshot.js';
import type { Store } from '../files/store.js';
import type { WeightsModel } from '../learn/document-codes.js';
import { sampleDocuments } from '../learn/sample.js';
import { rewriteTokens } from './rewrite-tokens.js';

/** Documents and float32 values that tell how good a mean is, at most. */
const MOST = { documents: 4096, values: 4 * 1024 * 1024 };
/** Codes whose steps are larger by so much than they need be are written anew. */
const MATERIAL = 1.25;

/**
 * Replaces what int8 tokens are centred by, which comes from the first documents, where that of all
 * is materially better: tokens and codes are rewritten in one commit. What the old codes have lost
 * stays lost; documents that come later lose no more.
 */
export async function replaceTokenMean(
  store: Store,
  loadModel: () => Promise<WeightsModel | null>,
  run: RunOptions,
): Promise<void> {
  const { dim } = store.snapshot.manifest;
  const tokenMean = await betterMean(store.snapshot, run.signal);
  if (tokenMean) await rewriteTokens(store, { dim, tokenMean }, await loadModel(), run);
}

/** undefined: the present one will do. */
async function betterMean(
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<Float32Array | undefined> {
  const { tokenMean, dim, segments } = snapshot.manifest;
  if (!tokenMean || snapshot.live === 0) return undefined;
  const tokens = segments.reduce((sum, entry) => sum + entry.tokens, 0);
  const count = Math.ceil((MOST.values * snapshot.documents) / (tokens * dim));
  const texts: Float32Array[] = [];
  const pace = pacer(signal);
  for (const document of sampleDocuments(
    snapshot,
    Math.min(count, MOST.documents),
    0,
    STREAM.tokenMean,
  )) {
    await pace();
    texts.push(await snapshot.vectors(document));
  }
  const sets = await joinTexts(texts, dim, signal);
  const mean = await meanToken(sets, signal);
  return (await relativeReach(sets, Float32Array.from(tokenMean), mean, signal)) > MATERIAL
    ? mean
    : undefined;
}

/**
 * How far a usual text's values are from one mean, relative to another: the ratio of the steps of
 * its codes, its median.
 */
async function relativeReach(
  { vectors, offsets, counts, dim }: TokenSets,
  mean: Float32Array,
  other: Float32Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const pace = pacer(signal);
  const ratios: number[] = [];
  for (let text = 0; text < counts.length; text++) {
    await pace();
    let [reach, least] = [0, 0];
    for (let at = offsets[text] * dim; at < offsets[text + 1] * dim; at++) {
      reach = Math.max(reach, Math.abs(vectors[at] - mean[at % dim]));
      least = Math.max(least, Math.abs(vectors[at] - other[at % dim]));
    }
    ratios.push(reach === least ? 1 : reach / least);
  }
  return ratios.sort((a, b) => a - b)[ratios.length >> 1];
}
