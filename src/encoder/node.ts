import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { LemurError } from '../errors.js';
import { type ByteRanges, eachChunk } from '../formats/byte-ranges.js';
import { openSafetensors } from '../formats/safetensors-file.js';
import { folderStorage } from '../storage/node-folder.js';
import { storedRanges } from '../storage/stored-safetensors.js';
import { type BertConfig, bertConfig } from './bert-config.js';
import { bertWeights } from './bert-weights.js';
import type { Projection } from './body.js';
import { type PoolingEncoder, poolingEncoder } from './encoder.js';
import { startBodyWorker } from './node-body-worker.js';
import { loadTokenizer } from './tokenizer.js';
import type { OnnxPackage } from './worker-protocol.js';

export type { Projection } from './body.js';
export type { EncodedTexts, EncodeOptions, Encoder, PooledVectors, PoolingEncoder } from './encoder.js';

export interface LoadEncoderOptions {
  /** Threads to compute with; all that the machine has by default. */
  threads?: number | undefined;
  /** A linear map of the token states: hidden x dim, row-major, no bias. Pooled vectors are not projected. */
  projection?: Projection | undefined;
  /** The encoder's `id` in place of one made from the files' contents. */
  id?: string | undefined;
  /**
   * Which ONNX Runtime: `web` (onnxruntime-web: WASM, runs everywhere) or `node` (onnxruntime-node: native code, about four times as fast).
   * Default `auto`: onnxruntime-node where it is installed, else onnxruntime-web. Vectors agree up to rounding.
   */
  runtime?: 'auto' | 'web' | 'node' | undefined;
}

/** Most tokens of a batch: larger ones are no faster and take more memory. */
const BATCH_TOKENS = 1536;

/**
 * Loads a BERT encoder from a local folder with config.json, tokenizer.json and its weights (model.safetensors, or the folder's only
 * *.safetensors; float32, float16 or bfloat16). Needs the packages
 * `@huggingface/tokenizers` and `onnxruntime-web` or `onnxruntime-node`.
 * Raises `not-found`, `bad-file`, `unsupported` (another architecture), `missing-package` and `invalid-argument`.
 */
export async function loadEncoder(folder: string, options: LoadEncoderOptions = {}): Promise<PoolingEncoder> {
  const { runtime = 'auto', threads = availableParallelism(), projection } = options;
  if (!['auto', 'web', 'node'].includes(runtime)) throw invalid(`runtime is ${JSON.stringify(runtime)}, expected 'auto', 'web' or 'node'`);
  if (!Number.isInteger(threads) || threads < 1) throw invalid(`threads is ${threads}, expected a positive integer`);

  const names = await listFolder(folder);
  const configPath = join(folder, 'config.json');
  const config = bertConfig(await readJson(folder, names, 'config.json'), configPath);
  checkProjection(projection, config);
  const tokenizerJson = await readJson(folder, names, 'tokenizer.json');
  const tokenizerConfig = names.includes('tokenizer_config.json') ? await readJson(folder, names, 'tokenizer_config.json') : {};
  const tokenizer = await loadTokenizer(tokenizerJson, tokenizerConfig, config.vocabulary, join(folder, 'tokenizer.json'));
  const weights = weightsName(folder, names);
  const where = join(folder, weights);
  const ranges = await storedRanges(folderStorage(folder), weights);
  bertWeights(await openSafetensors(ranges, where), config, where); // checks names and shapes

  const id = options.id ?? (await fingerprint(ranges, where, tokenizerJson, config, projection));
  const runner = await startBodyWorker(
    { kind: 'start', package: choosePackage(runtime), threads, config, folder, weights, where, projection },
    BATCH_TOKENS,
  );
  return poolingEncoder({
    id,
    tokenizer,
    runner,
    dim: projection?.dim ?? config.hidden,
    hidden: config.hidden,
    positions: config.positions,
  });
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

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new LemurError(
      'not-found',
      `${folder}: no such folder; expected one with config.json, tokenizer.json and *.safetensors`,
      { where: folder },
      { cause },
    );
  }
}

async function readJson(folder: string, names: readonly string[], name: string): Promise<object> {
  const path = join(folder, name);
  if (!names.includes(name)) throw missingFile(folder, name, names);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new LemurError('bad-file', `${path}: not JSON`, { where: path }, { cause });
  }
}

function weightsName(folder: string, names: readonly string[]): string {
  if (names.includes('model.safetensors')) return 'model.safetensors';
  const found = names.filter((name) => name.endsWith('.safetensors'));
  if (found.length === 1) return found[0];
  throw missingFile(folder, 'model.safetensors (or a single *.safetensors)', names);
}

function missingFile(folder: string, name: string, names: readonly string[]): LemurError {
  const where = join(folder, name);
  return new LemurError('not-found', `${folder}: no ${name}; found ${names.length === 0 ? 'an empty folder' : names.join(', ')}`, {
    where,
  });
}

function checkProjection(projection: Projection | undefined, { hidden }: BertConfig): void {
  if (!projection) return;
  const { matrix, dim } = projection;
  if (!(matrix instanceof Float32Array) || !Number.isInteger(dim) || dim < 1 || matrix.length !== hidden * dim) {
    throw invalid(`projection has ${matrix?.length} values and dim ${dim}, expected a Float32Array of ${hidden} x dim`);
  }
  if (!matrix.every(Number.isFinite)) throw invalid('projection has a value that is not finite');
}

function invalid(message: string): LemurError {
  return new LemurError('invalid-argument', `loadEncoder: ${message}`, { where: 'loadEncoder' });
}

/** Of everything that the vectors depend on. */
async function fingerprint(
  weights: ByteRanges,
  where: string,
  tokenizer: object,
  config: BertConfig,
  projection: Projection | undefined,
): Promise<string> {
  const ofWeights = createHash('sha256');
  await eachChunk(weights, 0, weights.size, where, undefined, (chunk) => void ofWeights.update(chunk));
  const text = JSON.stringify({
    weights: ofWeights.digest('hex'),
    projection: projection ? sha256(new Uint8Array(projection.matrix.slice().buffer)) : null,
    tokenizer,
    config,
  });
  return `bert-${sha256(text).slice(0, 16)}`;
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
