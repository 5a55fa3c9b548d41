import { ownFloats } from '../bytes/typed-array.js';
import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import type { WorkerPort } from '../platform.js';
import { describeKind } from '../value-kind.js';
import { type DenseLayer, denseOfProjection } from './architectures/dense.js';
import { type Checkpoint, type Layout, openCheckpoint } from './checkpoint/checkpoint.js';
import { resolveRecipes, type Settings } from './checkpoint/settings.js';
import type { PoolingEncoder } from './encoder.js';
import {
  type CheckpointFile,
  type CheckpointFiles,
  needJson,
  orReject,
  readJson,
} from './files/checkpoint-files.js';
import { HUB_OPTIONS, type HubOptions } from './files/hub-options.js';
import type { Precision } from './graph/graph-builder.js';
import { type EncoderParts, poolingEncoder } from './pooling-encoder.js';
import type { Projection } from './runtime/body.js';
import { startBody } from './runtime/body-runner.js';
import { sharesSteps } from './runtime/shared-step.js';
import type { OnnxPackage, StartMessage } from './runtime/worker-protocol.js';
import { extraTokens, PLAIN, type TextRecipe } from './text/recipe.js';
import { idsOf, loadTokenizer, PUNCTUATION, type TextTokenizer } from './text/tokenizer.js';

/** What differs between Node and browsers. */
export interface EncoderPlatform {
  /** Threads worth computing with. */
  readonly parallelism: number;
  /** Which package it is for `runtime`. */
  choosePackage(runtime: 'auto' | 'web' | 'node'): OnnxPackage;
  /** The address of a package that the worker does not find by its name. */
  addressOf(name: OnnxPackage): string | undefined;
  spawnWorker(): WorkerPort;
  /** In hexadecimal digits. */
  sha256(data: string | Uint8Array): Promise<string>;
  sha256OfFile(file: CheckpointFile): Promise<string>;
}

/** With a hub's id also how its files are got. */
export interface LoadOptions extends HubOptions {
  /**
   * Threads to compute with; all that there are by default (in a page that is not cross-origin
   * isolated that is one).
   */
  threads?: number | undefined;
  /**
   * A linear map of the token vectors, behind the checkpoint's own layers: their dimension x dim,
   * row-major, no bias. Pooled vectors are not projected.
   */
  projection?: Projection | undefined;
  /** The encoder's `id` in place of one made from the files' contents. */
  id?: string | undefined;
  /**
   * Where onnxruntime-web's .wasm files are served from, where they do not lie beside its script;
   * ends with a slash.
   */
  wasmPaths?: string | undefined;
  /**
   * Which ONNX Runtime: `web` (onnxruntime-web: WASM, runs everywhere) or `node` (onnxruntime-node:
   * native code, about four times as fast). Default `auto`: onnxruntime-node where it is installed,
   * else onnxruntime-web. Vectors agree up to rounding.
   */
  runtime?: 'auto' | 'web' | 'node' | undefined;
  /**
   * ONNX Runtime's execution providers, the preferred one first (`['webgpu']`, `['cuda', 'cpu']`,
   * `['coreml']`). Default: its CPU.
   */
  providers?: readonly string[] | undefined;
  /**
   * `int8`: products with weights in int8, quantised as they run; or a checkpoint's own
   * `model_int8.onnx`. Faster with onnxruntime-node, and a little less exact. Default `float32`,
   * whatever type the weights are stored in.
   */
  precision?: Precision | undefined;
}

export const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  threads: true,
  projection: true,
  id: true,
  wasmPaths: true,
  runtime: true,
  providers: true,
  precision: true,
  ...HUB_OPTIONS,
};

/** Steps of loading: files are found and read, they are hashed, the model is made. */
const LOADED = 3;
/** Most tokens of a batch: larger ones are no faster and take more memory. */
const BATCH_TOKENS = 1536;
const MOST_THREADS = 256;

/** Prefix of an encoder's id, by its layout. */
const FAMILY: Readonly<Record<Layout, string>> = {
  bert: 'bert',
  pylate: 'colbert',
  'sentence-transformers': 'colbert',
  stanford: 'colbert',
  onnx: 'onnx',
};

/**
 * An encoder of a checkpoint's files. Rejects with 'not-found', 'bad-file', 'unsupported',
 * 'dimension-mismatch', 'missing-package' and 'invalid-argument'.
 */
export async function loadCheckpoint(
  platform: EncoderPlatform,
  openFiles: () => Promise<CheckpointFiles>,
  options: LoadOptions,
): Promise<PoolingEncoder> {
  let files: CheckpointFiles | undefined;
  const open = async (): Promise<CheckpointFiles> => {
    files = await openFiles();
    return files;
  };
  return orReject(
    () => files,
    () => load(platform, open, options),
  );
}

async function load(
  platform: EncoderPlatform,
  openFiles: () => Promise<CheckpointFiles>,
  options: LoadOptions,
): Promise<PoolingEncoder> {
  const {
    runtime = 'auto',
    threads = Math.min(platform.parallelism, MOST_THREADS),
    projection,
    precision = 'float32',
    providers,
    wasmPaths,
  } = options;
  checkTypes(options);
  if (!['auto', 'web', 'node'].includes(runtime))
    throw invalid(`runtime is ${describeKind(runtime)}, expected 'auto', 'web' or 'node'`);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS)
    throw invalid(
      `threads is ${describeKind(threads)}, expected an integer from 1 to ${MOST_THREADS}`,
    );
  if (precision !== 'float32' && precision !== 'int8')
    throw invalid(`precision is ${describeKind(precision)}, expected 'float32' or 'int8'`);

  const { signal } = options;
  const report = (done: number): void =>
    options.onProgress?.({ stage: 'load', done, total: LOADED });
  report(0);
  const files = await openFiles();
  const checkpoint = await openCheckpoint(files, precision);
  checkProjection(projection, checkpoint.dim);
  const tokenizerFile = await needJson(files, 'tokenizer.json');
  const tokenizerConfig = (await readJson(files, 'tokenizer_config.json'))?.json ?? {};
  const { settings, positions, hidden, body } = checkpoint;
  const tokenizer = await loadTokenizer(
    tokenizerFile.json,
    tokenizerConfig,
    checkpoint.vocabulary,
    tokenizerFile.where,
    {
      lowerCase: settings?.lowerCase ?? false,
      markers: settings ? [settings.query.marker, settings.document.marker] : [],
    },
  );
  const dense = projection
    ? [...checkpoint.dense, denseOfProjection(projection)]
    : checkpoint.dense;

  report(1);
  signal?.throwIfAborted();

  // what the tokenizer says counts where the settings give no length
  const longest = {
    positions,
    unsaid: Math.min(positions, lengthOf(tokenizerConfig.model_max_length) ?? positions),
  };
  const mask = maskToken(tokenizerConfig, tokenizer);
  const said = settings && tokenizerSays(settings, longest, mask, maskToken({}, tokenizer));
  const id =
    options.id ?? (await fingerprint(platform, checkpoint, dense, tokenizerFile.json, said));
  const recipes = settings
    ? resolveRecipes(settings, tokenizer, mask, longest, tokenizerFile.where)
    : plainRecipes(tokenizer);
  for (const recipe of Object.values(recipes)) checkRoom(recipe, positions, tokenizerFile.where);
  const onnxPackage = platform.choosePackage(runtime);
  const alone = await sharesSteps(files.open, body, precision);
  await files.settle?.();
  report(2);
  signal?.throwIfAborted();
  const start: StartMessage = {
    kind: 'start',
    package: onnxPackage,
    address: platform.addressOf(onnxPackage),
    threads,
    wasmPaths,
    providers,
    precision,
    body,
    dense,
  };
  // the last thing that can fail: a worker would stay behind
  const runner = await startBody(platform.spawnWorker, start, alone ? 1 : BATCH_TOKENS, signal);
  report(LOADED);
  return poolingEncoder({
    id,
    tokenizer,
    runner,
    dim: dense.at(-1)?.outputs ?? checkpoint.dim,
    hidden,
    positions,
    normalize: settings?.normalize ?? true,
    recipes,
  });
}

/**
 * A body that nobody has trained for late interaction: its texts' own tokens, in documents without
 * punctuation.
 */
function plainRecipes(tokenizer: TextTokenizer): EncoderParts['recipes'] {
  return { query: PLAIN, document: { ...PLAIN, skip: idsOf(tokenizer, PUNCTUATION) } };
}

/** Raises 'bad-file' where a text has no room for a token of its own. */
function checkRoom(recipe: TextRecipe, positions: number, where: string): void {
  const [length, extra] = [Math.min(recipe.length ?? positions, positions), extraTokens(recipe)];
  if (length > extra) return;
  const problem = `texts of ${length} tokens at most (model_max_length, max_position_embeddings), expected more than the ${extra} around each`;
  throw new LemurError('bad-file', `${where}: ${problem}`, { where });
}

/** A number of tokens; undefined for none, and for the number that stands for no limit. */
function lengthOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}

/** The token that queries are filled up with, as tokenizer_config.json names it. */
function maskToken(config: Record<string, unknown>, tokenizer: TextTokenizer): string | undefined {
  const named = config.mask_token;
  const name =
    typeof named === 'string'
      ? named
      : (named as { content?: unknown } | null | undefined)?.content;
  if (typeof name === 'string') return name;
  return ['[MASK]', '<mask>'].find((token) => tokenizer.id(token) !== undefined);
}

/**
 * What vectors depend on that the tokenizer's configuration alone says; undefined where it says
 * nothing beyond what is usual.
 */
function tokenizerSays(
  { query, document }: Settings,
  { positions, unsaid }: { readonly positions: number; readonly unsaid: number },
  mask: string | undefined,
  usual: string | undefined,
): { longest?: number; mask?: string | undefined } | undefined {
  const isShorter =
    unsaid < positions && (query.length === undefined || document.length === undefined);
  const isOther =
    usual !== undefined &&
    mask !== usual &&
    query.expansion !== undefined &&
    query.expansion.token === undefined;
  return isShorter || isOther
    ? { ...(isShorter && { longest: unsaid }), ...(isOther && { mask }) }
    : undefined;
}

/** Types of the options that go elsewhere unread. */
function checkTypes(options: LoadOptions & { cacheFolder?: unknown }): void {
  for (const name of ['id', 'wasmPaths', 'revision', 'endpoint', 'token', 'cacheFolder'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'string')
      throw invalid(`${name} is ${describeKind(value)}, expected a string`);
  }
  const { providers, fetch } = options;
  if (
    providers !== undefined &&
    !(Array.isArray(providers) && providers.every((provider) => typeof provider === 'string'))
  )
    throw invalid(
      `providers: got ${describeKind(providers)}, expected an array of names such as 'webgpu'`,
    );
  if (fetch !== undefined && typeof fetch !== 'function')
    throw invalid(`fetch is ${describeKind(fetch)}, expected a function`);
}

function checkProjection(projection: Projection | undefined, width: number): void {
  if (projection === undefined) return;
  if (typeof projection !== 'object' || projection === null)
    throw invalid(`projection is ${describeKind(projection)}, expected { matrix, dim }`);
  const { dim } = projection;
  const matrix = ownFloats(projection.matrix, 'loadEncoder: projection.matrix');
  if (!Number.isInteger(dim) || dim < 1 || matrix.length !== width * dim) {
    throw invalid(
      `projection has ${matrix.length} values and dim ${describeKind(dim)}, expected a Float32Array of ${width} x dim`,
    );
  }
  if (!matrix.every(Number.isFinite)) throw invalid('projection has a value that is not finite');
}

function invalid(message: string): LemurError {
  return new LemurError('invalid-argument', `loadEncoder: ${message}`, { where: 'loadEncoder' });
}

/** Of everything that the vectors depend on, precision and runtime aside. */
async function fingerprint(
  { sha256, sha256OfFile }: EncoderPlatform,
  { layout, settings, body }: Checkpoint,
  dense: readonly DenseLayer[],
  tokenizer: object,
  said: object | undefined,
): Promise<string> {
  const hashed = (part: Float32Array | string | undefined): Promise<string> | string | undefined =>
    typeof part === 'object' ? sha256(bytesOf(part)) : part;
  const layers = await Promise.all(
    dense.map(async ({ weight, bias, activation, residual }) => ({
      activation,
      weights: await Promise.all([weight, bias, residual].map(hashed)),
    })),
  );
  const files = body.kind === 'weights' ? body.weights.files : [body.file];
  const hashes: string[] = [];
  for (const file of files) hashes.push(await sha256OfFile(file));
  const text = JSON.stringify({
    weights: hashes.length === 1 ? hashes[0] : hashes,
    config: body.kind === 'weights' ? body.config : null,
    settings,
    layers,
    tokenizer,
    // what is undefined leaves the text, and so the ids of most, as they are
    said,
  });
  return `${FAMILY[layout]}-${(await sha256(text)).slice(0, 16)}`;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
