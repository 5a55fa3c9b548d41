import type { IndexManifest } from '../collection/files/manifest.js';
import { readProjection } from '../collection/files/projection-file.js';
import { shippedProjection } from '../encoder/default/node-shipped-projection.js';
import { limitedEncoder } from '../encoder/limited-encoder.js';
import { encoderOf } from '../encoder/node-described-encoder.js';
import type { KnownEncoder } from '../encoder/provided-encoders.js';
import type { PoolingEncoder } from '../entry/node-encoder.js';
import { nodeEncoders } from '../entry/node-encoders.js';
import { restoreEncoder } from '../entry/node-restore-encoder.js';
import { isLemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import { folderStorage } from '../storage/node-folder.js';
import { type FoundModel, findModel, openEncoder, refuseMergedEncoder } from './model.js';

/**
 * How it is opened: its weights in another place than the folder says, and with how many threads.
 */
export interface EncoderOptions {
  model: string | undefined;
  threads: number | undefined;
}

/** The encoder of an index. Its `id` stands for model, projection and `maxTokens`. */
export interface IndexEncoder extends PoolingEncoder {
  /** Told of texts in a call, and how many of these have been encoded. */
  watch: ((texts: number, done: number) => void) | undefined;
}

/** What an index says of its encoder. */
export interface DescribedEncoder {
  model: unknown;
  /** Tokens of a text that are read; null: as the model says. */
  maxTokens: number | null;
  /** Dimension of the model's vectors, and of those that the index has. */
  hidden: number;
  dim: number;
  /** The dimension that it gets once it has enough token vectors to find a projection. */
  narrowTo?: number | undefined;
}

/** That description; undefined where there is none. Raises 'bad-file' and 'unsupported'. */
export async function describeEncoder(
  folder: string,
  { encoder, dim }: IndexManifest,
): Promise<DescribedEncoder | undefined> {
  const { origin } = encoder ?? {};
  if (origin) {
    const { model, maxTokens, hidden, narrowTo } = origin;
    return { model, maxTokens, hidden, dim, ...(narrowTo !== undefined && { narrowTo }) };
  }
  const info = encoder ? await encoderOf(folder, dim) : undefined;
  if (!info) return undefined;
  const { projection: _, ...described } = info;
  return described;
}

/**
 * The encoder that an index was made with, its model in `model` where that has moved. undefined for
 * an index of token vectors, or of an encoder that only its program knows. Raises 'not-found',
 * 'missing-package', 'encoder-mismatch' and 'bad-file'.
 */
export async function openIndexEncoder(
  folder: string,
  made: IndexManifest,
  { model, threads }: EncoderOptions,
): Promise<IndexEncoder | undefined> {
  const known = knownEncoder(folder, made);
  if (!known) return undefined;
  const named = model === undefined ? undefined : (await findModel(model)).name;
  refuseMergedEncoder();
  const { encoder: entry } = made;
  const projection = entry ? await readProjection(folderStorage(folder), entry) : undefined;
  try {
    const encoder = await restoreEncoder({ ...known, projection }, { model: named, threads });
    if (named !== undefined && encoder.origin) await nodeEncoders.remember(encoder.origin);
    return watchable(encoder);
  } catch (error) {
    // an id like the default encoder's, and nothing else that speaks for it
    if (isLemurError(error, 'encoder-mismatch') && !(await describeEncoder(folder, made)))
      return undefined;
    throw error;
  }
}

/** Whether `openIndexEncoder` will most likely find an encoder, without loading it. */
export function hasIndexEncoder(folder: string, made: IndexManifest): boolean {
  return knownEncoder(folder, made) !== undefined;
}

function knownEncoder(folder: string, { encoder }: IndexManifest): KnownEncoder | undefined {
  if (!encoder) return undefined;
  const { id, dim, origin } = encoder;
  const known = { id, dim, origin, folder };
  return nodeEncoders.knows(known) ? known : undefined;
}

/** The same model with another projection, hidden x dim. */
export async function openProjected(
  folder: string,
  { encoder }: IndexManifest,
  projection: Float32Array,
  dim: number,
  { model, threads }: EncoderOptions,
): Promise<IndexEncoder> {
  const known = { dim, origin: encoder?.origin, folder, projection };
  return watchable(await restoreEncoder(known, { model, threads }));
}

/**
 * The encoder of a new index, for token vectors `dim` wide at most. The default encoder's
 * projection comes with the package. Vectors of others, and those of widths that it does not have,
 * are taken as they are until the collection has enough of them to find one.
 */
export async function openNewEncoder(
  model: FoundModel,
  {
    maxTokens,
    hidden,
    dim: wanted,
  }: { maxTokens: number | undefined; hidden: number; dim: number },
  threads: number | undefined,
): Promise<IndexEncoder> {
  const matrix = wanted < hidden ? await projectionFor(model, wanted) : undefined;
  const projection = matrix && { matrix, dim: wanted };
  const loaded = await openEncoder(model, projection, threads);
  const encoder = limitedEncoder(loaded, maxTokens ?? null);
  const { origin } = encoder;
  const narrowTo = wanted < hidden && !matrix ? wanted : undefined;
  return watchable({ ...encoder, origin: origin && { ...origin, narrowTo } });
}

/** The projection that comes with this package, for a model that it was made for. */
async function projectionFor(
  { packaged }: FoundModel,
  dim: number,
): Promise<Float32Array | undefined> {
  return packaged === undefined ? undefined : shippedProjection(packaged, dim);
}

/** An encoder of which `lemur add` sees how far it is. */
function watchable(encoder: PoolingEncoder): IndexEncoder {
  const made: IndexEncoder = {
    ...encoder,
    watch: undefined,
    encodeDocument: (texts, options) => encoder.encodeDocument(texts, watched(texts, options)),
    encode: (texts, options) => encoder.encode(texts, watched(texts, options)),
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
