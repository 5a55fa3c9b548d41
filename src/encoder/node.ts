import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';
import { LemurError } from '../errors.js';
import { eachChunk } from '../formats/byte-ranges.js';
import { folderStorage } from '../storage/node-folder.js';
import { storedRanges } from '../storage/stored-safetensors.js';
import type { Projection } from './body.js';
import { type DenseLayer, denseOfProjection } from './dense.js';
import { type EncoderParts, type PoolingEncoder, poolingEncoder } from './encoder.js';
import type { Precision } from './graph-builder.js';
import { startBodyWorker } from './node-body-worker.js';
import { type Checkpoint, type Layout, openCheckpoint } from './node-checkpoint.js';
import { type CheckpointFiles, folderFiles, needJson, readJson } from './node-files.js';
import { type HubOptions, hubFiles, isHubId } from './node-hub.js';
import { resolveRecipes } from './settings.js';
import { idsOf, loadTokenizer, PUNCTUATION, type TextTokenizer } from './tokenizer.js';
import type { OnnxPackage } from './worker-protocol.js';

export type { Projection } from './body.js';
export type { EncodedTexts, EncodeOptions, Encoder, PooledVectors, PoolingEncoder } from './encoder.js';

/** With a hub's id also where its files are kept, and how they are got. */
export interface LoadEncoderOptions extends HubOptions {
  /** Threads to compute with; all that the machine has by default. */
  threads?: number | undefined;
  /** A linear map of the token vectors, behind the checkpoint's own layers: their dimension x dim, row-major, no bias. Pooled vectors are not projected. */
  projection?: Projection | undefined;
  /** The encoder's `id` in place of one made from the files' contents. */
  id?: string | undefined;
  /**
   * Which ONNX Runtime: `web` (onnxruntime-web: WASM, runs everywhere) or `node` (onnxruntime-node: native code, about four times as fast).
   * Default `auto`: onnxruntime-node where it is installed, else onnxruntime-web. Vectors agree up to rounding.
   */
  runtime?: 'auto' | 'web' | 'node' | undefined;
  /** ONNX Runtime's execution providers, the preferred one first (`['webgpu']`, `['cuda', 'cpu']`, `['coreml']`). Default: its CPU. */
  providers?: readonly string[] | undefined;
  /**
   * `int8`: products with weights in int8, quantised as they run; or a checkpoint's own `model_int8.onnx`. Faster with onnxruntime-node, and a little less
   * exact. Default `float32`, whatever type the weights are stored in.
   */
  precision?: Precision | undefined;
}

/** Most tokens of a batch: larger ones are no faster and take more memory. */
const BATCH_TOKENS = 1536;
/** Prefix of an encoder's id, by its layout. */
const FAMILY: Readonly<Record<Layout, string>> = {
  bert: 'bert',
  pylate: 'colbert',
  'sentence-transformers': 'colbert',
  stanford: 'colbert',
  onnx: 'onnx',
};

/**
 * Loads an encoder from a local folder or, for an id `owner/name`, from the hub. Late-interaction checkpoints are read as their own configuration says:
 * PyLate and Sentence Transformers 6 (modules.json), Stanford ColBERT (config.json with HF_ColBERT, artifact.metadata), ONNX exports (onnx_config.json,
 * model.onnx); a folder with no more than a body (config.json, tokenizer.json, model.safetensors or its only *.safetensors) gives the states of a text's own
 * tokens. Bodies of BERT, RoBERTa, XLM-R and ModernBERT are built from their weights (float32, float16 or bfloat16), others need an ONNX file.
 * Needs the packages `@huggingface/tokenizers` and `onnxruntime-web` or `onnxruntime-node`.
 * Rejects with `not-found`, `bad-file`, `unsupported` (another architecture), `dimension-mismatch`, `missing-package`, `offline` and `invalid-argument`.
 */
export async function loadEncoder(model: string, options: LoadEncoderOptions = {}): Promise<PoolingEncoder> {
  const { runtime = 'auto', threads = availableParallelism(), projection, precision = 'float32', providers } = options;
  if (!['auto', 'web', 'node'].includes(runtime)) throw invalid(`runtime is ${JSON.stringify(runtime)}, expected 'auto', 'web' or 'node'`);
  if (!Number.isInteger(threads) || threads < 1) throw invalid(`threads is ${threads}, expected a positive integer`);
  if (precision !== 'float32' && precision !== 'int8')
    throw invalid(`precision is ${JSON.stringify(precision)}, expected 'float32' or 'int8'`);

  const files = await openFiles(model, options);
  const checkpoint = await openCheckpoint(files, precision);
  checkProjection(projection, checkpoint.dim);
  const tokenizerFile = await needJson(files, 'tokenizer.json');
  const tokenizerConfig = (await readJson(files, 'tokenizer_config.json'))?.json ?? {};
  const { settings, positions, hidden, body } = checkpoint;
  const read = await loadTokenizer(tokenizerFile.json, tokenizerConfig, checkpoint.vocabulary, tokenizerFile.where);
  const tokenizer = settings?.lowerCase ? lowerCased(read) : read;
  const dense = projection ? [...checkpoint.dense, denseOfProjection(projection)] : checkpoint.dense;

  const id = options.id ?? (await fingerprint(checkpoint, dense, tokenizerFile.json));
  const runner = await startBodyWorker(
    { kind: 'start', package: choosePackage(runtime), threads, providers, precision, body, dense },
    BATCH_TOKENS,
  );
  return poolingEncoder({
    id,
    tokenizer,
    runner,
    dim: dense.at(-1)?.outputs ?? checkpoint.dim,
    hidden,
    positions,
    normalize: settings?.normalize ?? true,
    recipes: settings
      ? resolveRecipes(settings, tokenizer, maskToken(tokenizerConfig, tokenizer), positions, tokenizerFile.where)
      : plainRecipes(tokenizer),
  });
}

/** A folder's files where there is one of that path, else the hub's for an id. */
async function openFiles(model: string, options: HubOptions): Promise<CheckpointFiles> {
  const isFolder = await stat(model).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return !isFolder && isHubId(model) ? hubFiles(model, options) : folderFiles(model);
}

/** A body that nobody has trained for late interaction: its texts' own tokens, in documents without punctuation. */
function plainRecipes(tokenizer: TextTokenizer): EncoderParts['recipes'] {
  const query = { prefix: [], length: undefined, expansion: undefined, skip: new Set<number>(), special: false };
  return { query, document: { ...query, skip: idsOf(tokenizer, PUNCTUATION) } };
}

/** The token that queries are filled up with, as tokenizer_config.json names it. */
function maskToken(config: Record<string, unknown>, tokenizer: TextTokenizer): string | undefined {
  const named = config.mask_token;
  const name = typeof named === 'string' ? named : (named as { content?: unknown } | null | undefined)?.content;
  if (typeof name === 'string') return name;
  return ['[MASK]', '<mask>'].find((token) => tokenizer.id(token) !== undefined);
}

/** Places stay right where lower-casing leaves lengths as they are. */
function lowerCased(tokenizer: TextTokenizer): TextTokenizer {
  return {
    ...tokenizer,
    tokenize(text, maxTokens) {
      const lower = text.toLowerCase();
      const tokenized = tokenizer.tokenize(lower, maxTokens);
      return lower.length === text.length ? tokenized : { ...tokenized, spans: undefined };
    },
  };
}

function choosePackage(runtime: 'auto' | 'web' | 'node'): OnnxPackage {
  if (runtime !== 'auto') return `onnxruntime-${runtime}`;
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return 'onnxruntime-node';
  } catch {
    return 'onnxruntime-web';
  }
}

function checkProjection(projection: Projection | undefined, width: number): void {
  if (!projection) return;
  const { matrix, dim } = projection;
  if (!(matrix instanceof Float32Array) || !Number.isInteger(dim) || dim < 1 || matrix.length !== width * dim) {
    throw invalid(`projection has ${matrix?.length} values and dim ${dim}, expected a Float32Array of ${width} x dim`);
  }
  if (!matrix.every(Number.isFinite)) throw invalid('projection has a value that is not finite');
}

function invalid(message: string): LemurError {
  return new LemurError('invalid-argument', `loadEncoder: ${message}`, { where: 'loadEncoder' });
}

/** Of everything that the vectors depend on, precision and runtime aside. */
async function fingerprint({ layout, settings, body }: Checkpoint, dense: readonly DenseLayer[], tokenizer: object): Promise<string> {
  const path = body.kind === 'weights' ? `${body.folder}/${body.file}` : body.path;
  const layers = dense.map(({ weight, bias, activation, residual }) => ({
    activation,
    weights: [weight, bias, residual].map((part) => (part instanceof Float32Array ? sha256(bytesOf(part)) : part)),
  }));
  const text = JSON.stringify({
    weights: await hashFile(path),
    config: body.kind === 'weights' ? body.config : null,
    settings,
    layers,
    tokenizer,
  });
  return `${FAMILY[layout]}-${sha256(text).slice(0, 16)}`;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const ranges = await storedRanges(folderStorage(dirname(path)), basename(path));
  await eachChunk(ranges, 0, ranges.size, path, undefined, (chunk) => void hash.update(chunk));
  return hash.digest('hex');
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
