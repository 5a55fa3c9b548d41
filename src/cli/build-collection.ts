import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PoolingEncoder } from '../encoder/node.js';
import { Lemur } from '../lemur/lemur.js';
import type { FitOptions } from '../lemur/options.js';
import type { RunOptions } from '../run-options.js';
import { folderStorage } from '../storage/node-folder.js';
import { COLLECTION, collectionInfo, openProjection, type Plan, readTokens, type StoredTokens } from './collection.js';
import { encodeDocuments, encodeQueries, encodeSample } from './encode-texts.js';
import { DIM } from './model.js';
import { readIntegers } from './npy-file.js';
import type { Reporter } from './progress.js';
import { RUN, type RunState } from './run-state.js';
import type { Texts } from './scifact.js';
import { duration } from './text-layout.js';
import { writeTexts } from './write-texts.js';

/** Random features as wide as published comparisons have them; trained ones are the library's default. */
const RANDOM_FEATURES: FitOptions = { epochs: 0, finalHiddenDim: 2048 };

export interface BuildOptions {
  plan: Plan;
  texts: Texts;
  threads: number | undefined;
  signal: AbortSignal;
  reporter: Reporter;
  /** Called once the folder can be searched, when this run has made it so. */
  onSearchable: (tokens: StoredTokens) => Promise<void>;
  /** The encoder without a projection; this module closes it. */
  openPlainEncoder: () => Promise<PoolingEncoder>;
  /** The encoder with the folder's projection, opened when first needed and kept. */
  projectedEncoder: () => Promise<PoolingEncoder>;
}

/** Fills the folder stage by stage. What an earlier run has finished stays as it is. */
export async function buildCollection(run: RunState, options: BuildOptions): Promise<void> {
  const { texts, threads, signal, reporter } = options;
  const { folder } = run;
  const { documents, queries } = texts;
  const stage = async (name: string, title: string, work: (options: Required<RunOptions>) => Promise<void>): Promise<boolean> => {
    signal.throwIfAborted();
    const before = run.finished(name);
    if (before) {
      reporter.note(`${title}: done before, in ${duration(before.seconds)}`);
      return false;
    }
    const { time } = await reporter.step(title, (onProgress) => work({ signal, onProgress }));
    await run.finish(name, time);
    return true;
  };

  await stage('texts', 'copy texts', () => writeTexts(folder, texts));
  await stage('projection', 'encode a sample, find the projection', async (progress) => {
    const encoder = await options.openPlainEncoder();
    try {
      await encodeSample(folder, encoder, documents, progress);
    } finally {
      await encoder.close();
    }
  });
  await stage('encode', 'encode documents', async (progress) => {
    const encoder = await options.projectedEncoder();
    await encodeDocuments(folder, encoder, await hiddenDim(folder), documents, progress);
  });
  await stage('queries', 'encode judged queries', async (progress) =>
    encodeQueries(folder, await options.projectedEncoder(), queries, progress),
  );
  let read: Promise<StoredTokens> | undefined; // once for all that follows: of a large collection it is most of the memory
  const tokens = (): Promise<StoredTokens> => {
    read ??= readTokens(folder, '', documents.length);
    return read;
  };
  const fitAndSave = async (which: string, learn: FitOptions, progress: RunOptions): Promise<void> => {
    const lemur = await Lemur.fit(await tokens(), { ...learn, threads, ...progress });
    await lemur.save(join(folder, which));
    lemur.close();
    signal.throwIfAborted();
  };
  if (await stage('fit', 'fit the reduction', (progress) => fitAndSave('lemur', {}, progress))) await options.onSearchable(await tokens());
  await stage('random features', 'random features, for comparison', (progress) => fitAndSave('random', RANDOM_FEATURES, progress));
  if (!existsSync(join(folder, COLLECTION))) await writeDescription(run, options);
}

/** Writes `collection.json`, which makes the folder whole, and deletes what only a run in progress needs. */
async function writeDescription({ folder, stages }: RunState, { plan, texts, projectedEncoder }: BuildOptions): Promise<void> {
  const rows = async (name: string, count: number): Promise<number> =>
    (await readIntegers(join(folder, name), [count])).reduce((sum, n) => sum + n, 0);
  const { id, dim } = await projectedEncoder();
  const info = collectionInfo({
    plan,
    encoder: { id, dim, hidden: await hiddenDim(folder) },
    counts: {
      documents: texts.documents.length,
      tokens: await rows('counts.npy', texts.documents.length),
      queries: texts.queries.length,
      queryTokens: await rows('query-counts.npy', texts.queries.length),
    },
    stages,
  });
  await folderStorage(folder).replace(COLLECTION, new TextEncoder().encode(`${JSON.stringify(info, null, 2)}\n`));
  for (const name of ['sample-tokens.npy', 'sample-counts.npy', 'sample-pooled.npy', RUN]) await rm(join(folder, name), { force: true });
}

async function hiddenDim(folder: string): Promise<number> {
  const projection = await openProjection(folder);
  return projection.length / DIM;
}
