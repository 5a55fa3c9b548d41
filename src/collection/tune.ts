import { checkK } from '../search/check-k.js';
import type { Curve } from './files/manifest.js';
import type { WritingCall } from './open-collection.js';
import { checkInteger, checkRecall } from './options/check-options.js';
import type { TuneOptions } from './options/options.js';
import { drawQueries, givenQueries } from './query/held-out-queries.js';
import { measureCurve } from './query/measure-curve.js';
import { readQueries } from './query/read-queries.js';
import { candidatesFor } from './query/recall-curve.js';

/** Queries that are measured with at most. */
const MOST_SAMPLE = 100_000;

/** The curve that `tune` has measured, and what it means for the recall that was asked for. */
export interface Tuned extends Curve {
  /** Candidates that reach it; null where as many as were tried do not. */
  numCandidates: number | null;
}

/**
 * Measures how many candidates find which share of the exact top k, and keeps the curve.
 */
export async function tuneCandidates(
  { device, transaction, encoder, signal, onProgress }: WritingCall,
  { recall = 0.95, k = 10, sample = 200, seed = 0, queries: given }: TuneOptions,
): Promise<Tuned> {
  checkK(k);
  checkRecall(recall);
  checkInteger(sample, 'sample', 1, MOST_SAMPLE);
  checkInteger(seed, 'seed', 0);
  const { snapshot } = transaction;
  const isGiven = given !== undefined && given !== null;
  const queries = isGiven
    ? givenQueries(await readQueries(given, snapshot.manifest.dim, encoder, signal), sample)
    : await drawQueries(snapshot, encoder, sample, seed, signal);
  const measured = await measureCurve(device, snapshot, queries, k, { signal, onProgress });
  const source = isGiven ? 'given' : 'collection';
  const curve: Curve = { ...measured, source, target: recall };
  await transaction.commit((manifest) => ({
    ...manifest,
    model: manifest.model && { ...manifest.model, curve },
  }));
  return { ...curve, numCandidates: candidatesFor(curve, recall) };
}
