import type { PoolingEncoder } from '../encoder/node.js';
import { isLemurError } from '../errors.js';
import { type Collection, openCollection } from './collection.js';
import { checkCandidates, evaluate } from './evaluate.js';
import type { Reporter } from './progress.js';
import { createReport, formatReport, formatStages } from './report.js';
import { openCollectionEncoder } from './search.js';

export interface EvaluateFolderOptions {
  k: number;
  candidates: readonly number[];
  json: boolean;
  model: string | undefined;
  threads: number | undefined;
  signal: AbortSignal;
  reporter: Reporter;
}

/** `lemur eval`: the demo's table again, from what is on disk. */
export async function evaluateFolder(folder: string, options: EvaluateFolderOptions): Promise<string> {
  const { k, candidates, json, model, threads, signal, reporter } = options;
  checkCandidates(candidates, k);
  const collection = await openCollection(folder);
  const encoder = await optionalEncoder(collection, model, threads);
  try {
    const { value } = await reporter.step('evaluate', (onProgress) =>
      evaluate(collection, { k, candidates, threads, encoder, signal, onProgress }),
    );
    const report = createReport(collection.info, value, threads);
    if (json) return JSON.stringify(report, null, 2);
    return `\n${formatReport(report)}\n\nMade in: ${formatStages(collection.info.stages)}.`;
  } finally {
    await encoder?.close();
  }
}

/** Only the time of encoding needs it, so its absence is no reason to stop; the table says so. */
async function optionalEncoder(
  collection: Collection,
  model: string | undefined,
  threads: number | undefined,
): Promise<PoolingEncoder | undefined> {
  try {
    return await openCollectionEncoder(collection, model, threads);
  } catch (error) {
    const absent = isLemurError(error, 'missing-package') || isLemurError(error, 'not-found');
    if (absent && model === undefined) return undefined;
    throw error;
  }
}
