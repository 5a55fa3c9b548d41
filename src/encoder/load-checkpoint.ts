import { type DenseLayer, denseOfProjection } from './architectures/dense.js';
import { type Checkpoint, openCheckpoint } from './checkpoint/checkpoint.js';
import type { PoolingEncoder } from './encoder.js';
import { type CheckpointFiles, needJson, orReject, readJson } from './files/checkpoint-files.js';
import { type RecordedFiles, recordedFiles } from './files/recorded-files.js';
import { fingerprint } from './fingerprint.js';
import { hashedOnce } from './hashed-once.js';
import {
  checkLoadOptions,
  checkProjection,
  type LoadOptions,
  MOST_THREADS,
} from './load-options.js';
import { type EncoderOrigin, originOf } from './origin.js';
import type { EncoderPlatform } from './platform.js';
import { poolingEncoder } from './pooling-encoder.js';
import { startBody } from './runtime/body-runner.js';
import { sharesSteps } from './runtime/shared-step.js';
import type { StartMessage } from './runtime/worker-protocol.js';
import { loadTokenizer } from './text/tokenizer.js';
import { type ConfiguredTokenizer, recipesOf } from './tokenizer-recipes.js';

/** Steps of loading: files are found and read, they are hashed, the model is made. */
const LOADED = 3;
/**
 * Most tokens of a batch: what is between two products of more leaves the cache, and of fewer the
 * weights are read too often.
 */
const BATCH_TOKENS = 512;

/** Raises where an encoder that is about to be made is not the one that is wanted. */
export type CheckFound = (id: string, origin: EncoderOrigin | undefined) => void;

/**
 * An encoder of a checkpoint's files, which `check` has seen before anything runs. Rejects with
 * 'not-found', 'bad-file', 'unsupported', 'dimension-mismatch', 'missing-package' and
 * 'invalid-argument'.
 */
export async function loadCheckpoint(
  platform: EncoderPlatform,
  openFiles: () => Promise<CheckpointFiles>,
  options: LoadOptions,
  check: CheckFound = () => {},
): Promise<PoolingEncoder> {
  let files: RecordedFiles | undefined;
  const open = async (): Promise<RecordedFiles> => {
    files = recordedFiles(await openFiles());
    return files;
  };
  return orReject(
    () => files,
    () => load(hashedOnce(platform), open, options, check),
  );
}

async function load(
  platform: EncoderPlatform,
  openFiles: () => Promise<RecordedFiles>,
  options: LoadOptions,
  check: CheckFound,
): Promise<PoolingEncoder> {
  checkLoadOptions(options);
  const { projection, precision = 'float32', signal } = options;
  const report = (done: number): void => {
    signal?.throwIfAborted();
    options.onProgress?.({ stage: 'load', done, total: LOADED });
  };
  report(0);
  const files = await openFiles();
  const checkpoint = await openCheckpoint(files, precision);
  checkProjection(projection, checkpoint.dim);
  const { file, ...configured } = await openTokenizer(files, checkpoint);
  const own = checkpoint.dense;
  const dense = projection ? [...own, denseOfProjection(projection)] : own;

  report(1);
  const { settings, positions, hidden } = checkpoint;
  const { recipes, said } = recipesOf(configured, settings, positions);
  const id = options.id ?? (await fingerprint(platform, checkpoint, dense, file, said));
  // what the caller gives a name is the caller's to make again
  const origin =
    options.id === undefined
      ? await originOf(platform, files, checkpoint, precision, projection)
      : undefined;
  const alone = await sharesSteps(files.open, checkpoint.body, precision);
  await files.settle?.();
  check(id, origin);

  report(2);
  // the last thing that can fail: a worker would stay behind
  const start = startMessage(platform, checkpoint, dense, options);
  const runner = await startBody(platform.spawnWorker, start, alone ? 1 : BATCH_TOKENS, signal);
  options.onProgress?.({ stage: 'load', done: LOADED, total: LOADED });
  return poolingEncoder({
    id,
    origin,
    projection: origin && projection,
    tokenizer: configured.tokenizer,
    runner,
    dim: dense.at(-1)?.outputs ?? checkpoint.dim,
    hidden,
    positions,
    normalize: settings?.normalize ?? true,
    recipes,
  });
}

async function openTokenizer(
  files: CheckpointFiles,
  { settings, vocabulary }: Checkpoint,
): Promise<ConfiguredTokenizer & { file: object }> {
  const { json: file, where } = await needJson(files, 'tokenizer.json');
  const config = (await readJson(files, 'tokenizer_config.json'))?.json ?? {};
  const tokenizer = await loadTokenizer(file, config, vocabulary, where, {
    lowerCase: settings?.lowerCase ?? false,
    markers: settings ? [settings.query.marker, settings.document.marker] : [],
  });
  return { tokenizer, config, where, file };
}

function startMessage(
  platform: EncoderPlatform,
  { body }: Checkpoint,
  dense: readonly DenseLayer[],
  { runtime = 'auto', threads, precision = 'float32', wasmPaths, providers }: LoadOptions,
): StartMessage {
  const name = platform.choosePackage(runtime);
  return {
    kind: 'start',
    package: name,
    address: platform.addressOf(name),
    threads: threads ?? Math.min(platform.parallelism, MOST_THREADS),
    wasmPaths,
    providers,
    precision,
    body,
    dense,
  };
}
