import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createNpyFile, readIntegers, writeNpyFile } from '../formats/node-npy.js';
import { Lemur } from '../lemur/lemur.js';
import type { FitOptions } from '../lemur/options.js';
import type { RunOptions } from '../run-options.js';
import { folderStorage } from '../storage/node-folder.js';
import type { TokenReport } from '../tokens/token-sets.js';
import { COLLECTION, collectionInfo, openProjection, type Plan, RUN, readTokens, type StoredTokens } from './collection.js';
import { encodeDocuments, encodeQueries, encodeSample } from './encode-texts.js';
import { DIM, MAX_TOKENS } from './model.js';
import type { Reporter } from './progress.js';
import type { RunEncoder } from './run-encoder.js';
import type { RunState } from './run-state.js';
import type { Texts } from './source.js';
import { duration } from './text-layout.js';
import { writeTexts } from './write-texts.js';

/** Random features as wide as published comparisons have them; trained ones are the library's default. */
const RANDOM_FEATURES: FitOptions = { epochs: 0, finalHiddenDim: 2048 };

export interface BuildOptions {
  plan: Plan;
  texts: Texts;
  /** What makes vectors of the texts, or those vectors. */
  vectors: RunEncoder | StoredTokens;
  /** Token vectors to learn from, where they are not the documents'. */
  learn?: StoredTokens | undefined;
  /** Fits random features as well, for comparison. */
  compare: boolean;
  threads: number | undefined;
  signal: AbortSignal;
  reporter: Reporter;
  /** Called once the folder can be searched, when this run has made it so. */
  onSearchable?: (tokens: StoredTokens, report: TokenReport | undefined) => Promise<void>;
}

type Stage = (name: string, title: string, work: (options: Required<RunOptions>) => Promise<void>) => Promise<boolean>;

/** Fills the folder stage by stage. What an earlier run has finished stays as it is. */
export async function buildCollection(run: RunState, options: BuildOptions): Promise<void> {
  const { texts, vectors, threads, signal, reporter } = options;
  const { folder } = run;
  const stage: Stage = async (name, title, work) => {
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
  if ('vectors' in vectors) await stage('vectors', 'copy vectors', () => writeTokens(folder, vectors));
  else await encodeStages(folder, stage, vectors, options);

  // once for all that follows: of a large collection it is most of the memory
  let read: Promise<StoredTokens> | undefined;
  const tokens = async (): Promise<StoredTokens> => {
    if ('vectors' in vectors) return vectors;
    read ??= readTokens(folder, '', texts.documents.length);
    return read;
  };
  let report: TokenReport | undefined;
  const fitAndSave = async (which: string, learn: FitOptions, progress: RunOptions): Promise<void> => {
    const lemur = await Lemur.fit(await tokens(), { ...learn, threads, ...progress });
    report = lemur.tokenReport;
    await lemur.save(join(folder, which));
    lemur.close();
    signal.throwIfAborted();
  };
  const learn: FitOptions = { ...options.plan.learn, learn: options.learn };
  const fitted = await stage('fit', 'fit the reduction', (progress) => fitAndSave('lemur', learn, progress));
  if (fitted) await options.onSearchable?.(await tokens(), report);
  if (options.compare) {
    await stage('random features', 'random features, for comparison', (progress) => fitAndSave('random', RANDOM_FEATURES, progress));
  }
  if (!existsSync(join(folder, COLLECTION))) await writeDescription(run, options);
}

async function encodeStages(folder: string, stage: Stage, encoder: RunEncoder, { plan, texts }: BuildOptions): Promise<void> {
  const { maxTokens = MAX_TOKENS, dim = DIM } = plan;
  const { documents, queries } = texts;
  await stage('projection', 'encode a sample, find the projection', async (progress) => {
    const plain = await encoder.plain();
    try {
      await encodeSample(folder, plain, documents, { wanted: dim, maxTokens, ...progress });
    } finally {
      await plain.close();
    }
  });
  await stage('encode', 'encode documents', async (progress) =>
    encodeDocuments(folder, await encoder.projected(), documents, { maxTokens, ...progress }),
  );
  if (queries.length > 0) {
    await stage('queries', 'encode judged queries', async (progress) =>
      encodeQueries(folder, await encoder.projected(), queries, { maxTokens, ...progress }),
    );
  }
}

/** `counts.npy` first: where `tokens.npy` is, all is. */
export async function writeTokens(folder: string, { vectors, counts, dim }: StoredTokens): Promise<void> {
  await writeNpyFile(join(folder, 'counts.npy'), { shape: [counts.length], data: counts });
  const file = await createNpyFile(join(folder, 'tokens.npy'), dim);
  try {
    await file.append(vectors);
    await file.finish();
  } finally {
    await file.discard();
  }
}

/** Writes `collection.json`, which makes the folder whole, and deletes what only a run in progress needs. */
async function writeDescription({ folder, stages }: RunState, { plan, texts, vectors }: BuildOptions): Promise<void> {
  const documents = texts.documents.length;
  const queries = texts.queries.length;
  const rows = async (name: string, count: number): Promise<number> =>
    (await readIntegers(join(folder, name), [count])).reduce((sum, n) => sum + n, 0);
  let encoder = null;
  if (!('vectors' in vectors)) {
    const { id, dim } = await vectors.projected();
    encoder = { id, dim, hidden: (await openProjection(folder)).hidden };
  }
  const counts = {
    documents,
    tokens: await rows('counts.npy', documents),
    queries,
    queryTokens: queries > 0 ? await rows('query-counts.npy', queries) : 0,
  };
  const info = collectionInfo({ plan, encoder, counts, stages });
  await folderStorage(folder).replace(COLLECTION, new TextEncoder().encode(`${JSON.stringify(info, null, 2)}\n`));
  for (const name of ['sample-tokens.npy', 'sample-counts.npy', 'sample-pooled.npy', RUN]) await rm(join(folder, name), { force: true });
}
