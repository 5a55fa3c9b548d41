import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { eachChunk } from '../formats/byte-ranges.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import type { PoolingEncoder } from './encoder.js';
import { hubFiles, isHubId } from './hub.js';
import { type EncoderPlatform, type LoadOptions, loadCheckpoint } from './load-checkpoint.js';
import { folderFiles, openPath } from './node-files.js';
import { hubFolder } from './node-hub-cache.js';
import { spawnNodeWorker } from './node-spawn-worker.js';

export type { Projection } from './body.js';
export type { EncodedTexts, EncodeOptions, Encoder, PooledVectors, PoolingEncoder } from './encoder.js';

/** With a hub's id also where its files are kept, and how they are got. */
export interface LoadEncoderOptions extends LoadOptions {
  /** Where files of the hub are kept. Default: `lemur` in the user's folder of caches. */
  cacheFolder?: string | undefined;
}

/**
 * Loads an encoder from a local folder or, for an id `owner/name`, from the hub. Late-interaction checkpoints are read as their own configuration says:
 * PyLate and Sentence Transformers 6 (modules.json), Stanford ColBERT (config.json with HF_ColBERT, artifact.metadata), ONNX exports (onnx_config.json,
 * model.onnx); a folder with no more than a body (config.json, tokenizer.json, model.safetensors or its only *.safetensors) gives the states of a text's own
 * tokens. Bodies of BERT, RoBERTa, XLM-R and ModernBERT are built from their weights (float32, float16 or bfloat16), others need an ONNX file.
 * Needs the packages `@huggingface/tokenizers` and `onnxruntime-web` or `onnxruntime-node`.
 * Rejects with `not-found`, `bad-file`, `unsupported` (another architecture), `dimension-mismatch`, `missing-package`, `offline` and `invalid-argument`.
 */
export async function loadEncoder(model: string, options: LoadEncoderOptions = {}): Promise<PoolingEncoder> {
  return loadCheckpoint(platform, () => openModel(model, options), options);
}

/** A folder's files where there is one of that path, else the hub's for an id. */
export async function openModel(model: string, options: LoadEncoderOptions): Promise<CheckpointFiles> {
  const isFolder = await stat(model).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder || !isHubId(model)) return folderFiles(model);
  const { HF_ENDPOINT, HF_TOKEN } = process.env;
  const hub = { ...options, endpoint: options.endpoint ?? (HF_ENDPOINT || undefined), token: options.token ?? HF_TOKEN };
  return hubFiles(model, hubFolder(model, options.revision ?? 'main', options.cacheFolder), hub);
}

const platform: EncoderPlatform = {
  parallelism: availableParallelism(),
  spawnWorker: spawnNodeWorker,
  choosePackage(runtime) {
    if (runtime !== 'auto') return `onnxruntime-${runtime}`;
    try {
      createRequire(import.meta.url).resolve('onnxruntime-node');
      return 'onnxruntime-node';
    } catch {
      return 'onnxruntime-web';
    }
  },
  sha256: async (data) => createHash('sha256').update(data).digest('hex'),
  async sha256OfFile(place) {
    const hash = createHash('sha256');
    const ranges = await openPath(place);
    await eachChunk(ranges, 0, ranges.size, String(place), undefined, (chunk) => void hash.update(chunk));
    return hash.digest('hex');
  },
};
