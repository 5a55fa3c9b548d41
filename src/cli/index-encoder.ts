import type { IndexManifest } from '../collection/files/manifest.js';
import { DEFAULT_DIM, DEFAULT_TOKENS } from '../encoder/default/node-default-weights.js';
import { shippedProjection } from '../encoder/default/node-shipped-projection.js';
import { limitedEncoder } from '../encoder/limited-encoder.js';
import type { PoolingEncoder } from '../entry/node-encoder.js';
import type { RunOptions } from '../run-options.js';
import { type EncoderInfo, encoderOf, projected, readProjection } from './encoder-file.js';
import { findModel, type ModelReference, nameOf, openEncoder } from './model.js';

/**
 * How it is opened: its weights in another place than the folder says, and with how many threads.
 */
export interface EncoderOptions {
  model: string | undefined;
  threads: number | undefined;
}

/** The encoder of an index. Its `id` stands for model, projection and `maxTokens`. */
export interface IndexEncoder extends PoolingEncoder {
  readonly maxTokens: number | null;
  /** Told of texts in a call, and how many of these have been encoded. */
  watch: ((texts: number, done: number) => void) | undefined;
}

/**
 * The encoder that an index was made with: the one that its folder describes, its weights in
 * `model` where they have moved, or the default one of a program that used `Index`. undefined for
 * an index of token vectors, or of an encoder that only its program knows. Raises 'not-found',
 * 'missing-package' and 'bad-file'.
 */
export async function openIndexEncoder(
  folder: string,
  made: IndexManifest,
  options: EncoderOptions,
): Promise<IndexEncoder | undefined> {
  const info = made.encoder && (await encoderOf(folder, made.dim));
  if (info) return openDescribed(info, await readProjection(folder, info), options);
  return looksDefault(made) ? openDefault(made, options) : undefined;
}

/** Whether `openIndexEncoder` will most likely find an encoder, without loading it. */
export async function hasIndexEncoder(folder: string, made: IndexManifest): Promise<boolean> {
  return (await encoderOf(folder, made.dim)) !== undefined || looksDefault(made);
}

/**
 * Whether an index may have been made with the default encoder, by what can be told before that is
 * loaded.
 */
export function looksDefault({ encoder, dim }: IndexManifest): boolean {
  return dim === DEFAULT_DIM && encoder !== null && encoder.id.endsWith(`-${DEFAULT_TOKENS}`);
}

/** The default encoder; undefined where its id is not the one that the index was made with. */
async function openDefault(
  made: IndexManifest,
  options: EncoderOptions,
): Promise<IndexEncoder | undefined> {
  const { reference: model } = await findModel(undefined);
  const matrix = await projectionFor(model, DEFAULT_DIM);
  const described = { model, maxTokens: DEFAULT_TOKENS, dim: DEFAULT_DIM };
  const encoder = await openDescribed(described, matrix, options);
  if (encoder.id === made.encoder?.id) return encoder;
  await encoder.close();
  return undefined;
}

/** The encoder of a description whose projection is at hand. */
export async function openDescribed(
  { model: made, maxTokens, dim }: Pick<EncoderInfo, 'model' | 'maxTokens' | 'dim'>,
  matrix: Float32Array | undefined,
  { model, threads }: EncoderOptions,
): Promise<IndexEncoder> {
  const weights = await findModel(model ?? nameOf(made));
  const encoder = await openEncoder(weights.name, matrix && { matrix, dim }, threads);
  return watchable(encoder, maxTokens);
}

/**
 * The description of a new index's encoder, and its projection, for token vectors `dim` wide at
 * most. The default encoder's projection comes with the package. Vectors of others, and those of
 * widths that it does not have, are taken as they are until the collection has enough of them to
 * find one.
 */
export async function newEncoder(
  model: ModelReference,
  {
    maxTokens,
    hidden,
    dim: wanted,
  }: { maxTokens: number | undefined; hidden: number; dim: number },
): Promise<{ info: EncoderInfo; matrix: Float32Array | undefined }> {
  const made = { model, maxTokens: maxTokens ?? null, hidden };
  const plain = { ...made, dim: hidden, projection: null };
  if (wanted >= hidden) return { info: plain, matrix: undefined };
  const matrix = await projectionFor(model, wanted);
  return matrix
    ? { info: projected(plain, matrix), matrix }
    : { info: { ...plain, narrowTo: wanted }, matrix };
}

/** The projection that comes with this package, for a model that it was made for. */
async function projectionFor(
  model: ModelReference,
  dim: number,
): Promise<Float32Array | undefined> {
  if (!('package' in model)) return undefined;
  return shippedProjection(`${model.package}@${model.version}`, dim);
}

/** An encoder of which `lemur add` sees how far it is. */
function watchable(encoder: PoolingEncoder, maxTokens: number | null): IndexEncoder {
  const limited = limitedEncoder(encoder, maxTokens);
  const made: IndexEncoder = {
    ...limited,
    maxTokens,
    watch: undefined,
    encodeDocument: (texts, options) => limited.encodeDocument(texts, watched(texts, options)),
    encode: (texts, options) => limited.encode(texts, watched(texts, options)),
  };
  const watched = <O extends RunOptions>(texts: readonly string[], options?: O): O => ({
    ...(options as O),
    onProgress: (progress) => {
      if (progress.stage === 'encode') made.watch?.(texts.length, progress.done);
      options?.onProgress?.(progress);
    },
  });
  return made;
}
