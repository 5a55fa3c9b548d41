import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readWhole } from '../bytes/node-file.js';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { shippedProjection } from '../encoder/default/node-shipped-projection.js';
import { limitedEncoder } from '../encoder/limited-encoder.js';
import type { PoolingEncoder } from '../entry/node-encoder.js';
import { LemurError } from '../errors.js';
import { showJson } from '../formats/json/show-json.js';
import { readFloats } from '../formats/npy/node-npy.js';
import { writeNpy } from '../formats/npy/npy.js';
import type { RunOptions } from '../run-options.js';
import { folderStorage } from '../storage/node-folder.js';
import { findModel, type ModelReference, nameOf, openEncoder } from './model.js';

/** What encodes an index's texts, beside the index's own files. */
export const ENCODER = 'encoder.json';
/** Hidden x dim, float32. */
export const PROJECTION = 'projection.npy';

const FORMAT = 'lemur-encoder';
const VERSION = 1;

/** `encoder.json`. */
export interface EncoderInfo {
  model: ModelReference;
  /**
   * Tokens of a text that are encoded, from its beginning; null: as many as the checkpoint says, of
   * queries and of documents.
   */
  maxTokens: number | null;
  /** Of the model's token vectors, and of those that the projection makes of them. */
  hidden: number;
  dim: number;
  /** SHA-256 of `projection.npy`; null where the model's vectors are taken as they are. */
  projection: string | null;
  /**
   * Without a projection: the width that the collection will have once it has enough tokens to find
   * one.
   */
  narrowTo?: number | undefined;
}

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
 * What the folder says about its encoder; undefined for an index of token vectors. Raises
 * 'bad-file' and 'unsupported'.
 */
export async function readEncoderInfo(folder: string): Promise<EncoderInfo | undefined> {
  const path = join(folder, ENCODER);
  if ((await whatLiesAt(path)) === undefined) return undefined;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readWhole(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LemurError(
      'bad-file',
      `${path}: not JSON, the file is damaged or truncated`,
      { where: path },
      { cause },
    );
  }
  const { format, version, ...info } = (value ?? {}) as Partial<EncoderInfo> & {
    format?: unknown;
    version?: unknown;
  };
  if (format === FORMAT && version !== VERSION) {
    const problem = `format version ${showJson(version)}, this version of the package reads ${VERSION}`;
    throw new LemurError('unsupported', `${path}: ${problem}`, { where: path });
  }
  if (format === FORMAT && isInfo(info)) return info;
  throw new LemurError(
    'bad-file',
    `${path}: not the description of an encoder, or damaged: ${showJson(value)}`,
    { where: path },
  );
}

/**
 * What it says of a collection whose token vectors have so many dimensions. The description of a
 * narrower one is written before the collection becomes that, so until then, and where that was
 * interrupted, the model's vectors are taken as they are.
 */
export async function encoderOf(folder: string, dim: number): Promise<EncoderInfo | undefined> {
  const info = await readEncoderInfo(folder);
  return info && dim === info.hidden && info.dim < dim
    ? { ...info, dim, projection: null, narrowTo: info.dim }
    : info;
}

/** The same for `lemur info`. */
export async function describeEncoder(
  folder: string,
  width: number,
): Promise<Omit<EncoderInfo, 'projection'> | null> {
  const info = await encoderOf(folder, width);
  if (!info) return null;
  const { projection: _, ...shown } = info;
  return shown;
}

/** Raises 'bad-file' where the projection is not the one that the index was made with. */
export async function readProjection(
  folder: string,
  { hidden, dim, projection }: EncoderInfo,
): Promise<Float32Array | undefined> {
  if (projection === null) return undefined;
  const path = join(folder, PROJECTION);
  const matrix = await readFloats(path, [hidden, dim]);
  if (sha256(await readWhole(path)) === projection) return matrix;
  throw new LemurError(
    'bad-file',
    `${path}: not the bytes that ${ENCODER} speaks of: the file is damaged`,
    { where: path },
  );
}

/**
 * The encoder that the folder describes, its weights in `model` where they have moved. Raises
 * 'not-found', 'missing-package' and 'bad-file'.
 */
export async function openIndexEncoder(
  folder: string,
  info: EncoderInfo,
  options: EncoderOptions,
): Promise<IndexEncoder> {
  return openDescribed(info, await readProjection(folder, info), options);
}

/** The same with the projection at hand. */
export async function openDescribed(
  { model: made, maxTokens, dim }: EncoderInfo,
  matrix: Float32Array | undefined,
  { model, threads }: EncoderOptions,
): Promise<IndexEncoder> {
  const weights = await findModel(model ?? nameOf(made));
  const encoder = await openEncoder(weights.name, matrix && { matrix, dim }, threads);
  return watchable(encoder, maxTokens);
}

/**
 * What a new index says of its encoder, and its projection, for token vectors `dim` wide at most.
 * The default encoder's projection comes with the package. Vectors of others, and those of widths
 * that it does not have, are taken as they are until the collection has enough of them to find one.
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
  const matrix =
    'package' in model
      ? await shippedProjection(`${model.package}@${model.version}`, wanted)
      : undefined;
  return matrix
    ? { info: projected(plain, matrix), matrix }
    : { info: { ...plain, narrowTo: wanted }, matrix };
}

/** The same encoder with a projection behind it: hidden x dim. */
export function projected(
  { narrowTo: _, ...info }: EncoderInfo,
  matrix: Float32Array,
): EncoderInfo {
  return { ...info, dim: matrix.length / info.hidden, projection: sha256(fileOf(info, matrix)) };
}

/** Writes what `openIndexEncoder` reads, the projection first. */
export async function writeIndexEncoder(
  folder: string,
  info: EncoderInfo,
  matrix: Float32Array | undefined,
): Promise<void> {
  const storage = folderStorage(folder);
  if (matrix) await storage.replace(PROJECTION, fileOf(info, matrix));
  const text = `${JSON.stringify({ format: FORMAT, version: VERSION, ...info }, null, 2)}\n`;
  await storage.replace(ENCODER, new TextEncoder().encode(text));
}

function fileOf({ hidden }: EncoderInfo, matrix: Float32Array): Uint8Array {
  return writeNpy({ shape: [hidden, matrix.length / hidden], data: matrix });
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

function isInfo(info: Partial<EncoderInfo>): info is EncoderInfo {
  const { model, maxTokens, hidden, dim, projection, narrowTo } = info;
  const sizes = [
    ...(maxTokens === null ? [] : [maxTokens]),
    ...(narrowTo === undefined ? [] : [narrowTo]),
    hidden,
    dim,
  ].every((size) => Number.isSafeInteger(size) && (size as number) > 0);
  return (
    sizes &&
    (projection === null ? hidden === dim : typeof projection === 'string') &&
    isModel(model)
  );
}

function isModel(model: unknown): model is ModelReference {
  if (typeof model !== 'object' || model === null) return false;
  const { folder, hub, package: name, version } = model as Record<string, unknown>;
  return (
    typeof folder === 'string' ||
    typeof hub === 'string' ||
    (typeof name === 'string' && typeof version === 'string')
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
