import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PoolingEncoder } from '../encoder/node.js';
import { LemurError } from '../errors.js';
import { isAbsent } from '../formats/node-file-error.js';
import { readFloats } from '../formats/node-npy.js';
import { writeNpy } from '../formats/npy.js';
import { showJson } from '../formats/show-json.js';
import { principalComponents } from '../linalg/principal-components.js';
import type { RunOptions } from '../run-options.js';
import { folderStorage } from '../storage/node-folder.js';
import { type FoundModel, findModel, type ModelReference, nameOf, openEncoder } from './model.js';

/** What encodes an index's texts, beside the index's own files. */
export const ENCODER = 'encoder.json';
/** Hidden x dim, float32: the principal components of the first documents' tokens. */
export const PROJECTION = 'projection.npy';
/** Characters at the beginning of the source that the projection is made from, about 20,000 tokens, for a matrix of 384 x 384. */
export const SAMPLE_CHARACTERS = 120_000;
/** Documents that they come from at most. */
export const SAMPLE_DOCUMENTS = 1024;
/** Characters of a token, about. */
export const TOKEN_CHARACTERS = 6;

const FORMAT = 'lemur-encoder';
const VERSION = 1;

/** `encoder.json`. */
export interface EncoderInfo {
  model: ModelReference;
  /** Tokens of a text that are encoded, from its beginning; null: as many as the checkpoint says, of queries and of documents. */
  maxTokens: number | null;
  /** Of the model's token vectors, and of those that the projection makes of them. */
  hidden: number;
  dim: number;
  /** SHA-256 of `projection.npy`; null where the model's vectors are taken as they are. */
  projection: string | null;
}

/** The encoder of an index. Its `id` stands for model, projection and `maxTokens`. */
export interface IndexEncoder extends PoolingEncoder {
  readonly maxTokens: number | null;
  /** Told of texts in a call, and how many of these have been encoded. */
  watch: ((texts: number, done: number) => void) | undefined;
}

/** What the folder says about its encoder; undefined for an index of token vectors. Raises 'bad-file' and 'unsupported'. */
export async function readEncoderInfo(folder: string): Promise<EncoderInfo | undefined> {
  const path = join(folder, ENCODER);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LemurError('bad-file', `${path}: not JSON, the file is damaged or truncated`, { where: path }, { cause });
  }
  const { format, version, ...info } = (value ?? {}) as Partial<EncoderInfo> & { format?: unknown; version?: unknown };
  if (format === FORMAT && version !== VERSION) {
    const problem = `format version ${showJson(version)}, this version of the package reads ${VERSION}`;
    throw new LemurError('unsupported', `${path}: ${problem}`, { where: path });
  }
  if (format === FORMAT && isInfo(info)) return info;
  throw new LemurError('bad-file', `${path}: not the description of an encoder, or damaged: ${showJson(value)}`, { where: path });
}

/** The same for `lemur info`. */
export async function describeEncoder(folder: string): Promise<Omit<EncoderInfo, 'projection'> | null> {
  const info = await readEncoderInfo(folder);
  if (!info) return null;
  const { projection: _, ...shown } = info;
  return shown;
}

/** Raises 'bad-file' where the projection is not the one that the index was made with. */
export async function readProjection(folder: string, { hidden, dim, projection }: EncoderInfo): Promise<Float32Array | undefined> {
  if (projection === null) return undefined;
  const path = join(folder, PROJECTION);
  const matrix = await readFloats(path, [hidden, dim]);
  if (sha256(await readFile(path)) === projection) return matrix;
  throw new LemurError('bad-file', `${path}: not the bytes that ${ENCODER} speaks of: the file is damaged`, { where: path });
}

/** The encoder that the folder describes, its weights in `model` where they have moved. Raises 'not-found', 'missing-package' and 'bad-file'. */
export async function openIndexEncoder(
  folder: string,
  info: EncoderInfo,
  { model, threads }: { model: string | undefined; threads: number | undefined },
): Promise<IndexEncoder> {
  const matrix = await readProjection(folder, info);
  const weights = await findModel(model ?? nameOf(info.model));
  return limited(await openEncoder(weights.name, matrix && { matrix, dim: info.dim }, threads), info.maxTokens);
}

/**
 * Finds a projection for texts like these, `dim` wide at most, and writes what `openIndexEncoder` reads. Token vectors that are no wider than that are
 * taken as they are.
 */
export async function writeIndexEncoder(
  folder: string,
  sample: readonly string[],
  wanted: { model: FoundModel; maxTokens: number | undefined; dim: number; threads: number | undefined },
  run: RunOptions,
): Promise<EncoderInfo> {
  const { model, maxTokens, threads } = wanted;
  const storage = folderStorage(folder);
  const plain = await openEncoder(model.name, undefined, threads);
  try {
    const hidden = plain.dim;
    const dim = Math.min(wanted.dim, hidden);
    let projection: string | null = null;
    if (dim < hidden) {
      const { vectors } = await plain.encodeDocument(sample, { maxTokens, ...run });
      const file = writeNpy({ shape: [hidden, dim], data: await principalComponents(vectors, hidden, dim, run) });
      await storage.replace(PROJECTION, file);
      projection = sha256(file);
    }
    const info: EncoderInfo = { model: model.reference, maxTokens: maxTokens ?? null, hidden, dim, projection };
    await storage.replace(ENCODER, new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, version: VERSION, ...info }, null, 2)}\n`));
    return info;
  } finally {
    await plain.close();
  }
}

function limited(encoder: PoolingEncoder, maxTokens: number | null): IndexEncoder {
  const limit = maxTokens === null ? {} : { maxTokens };
  const made: IndexEncoder = {
    ...encoder,
    id: maxTokens === null ? encoder.id : `${encoder.id}-${maxTokens}`,
    maxTokens,
    watch: undefined,
    encodeQuery: (texts, options) => encoder.encodeQuery(texts, { ...limit, ...options }),
    encodeDocument: (texts, options) => encoder.encodeDocument(texts, watched(texts, { ...limit, ...options })),
    encodePooled: (texts, options) => encoder.encodePooled(texts, { ...limit, ...options }),
    encode: (texts, options) => encoder.encode(texts, watched(texts, { ...limit, ...options })),
  };
  const watched = <O extends RunOptions>(texts: readonly string[], options: O): O => ({
    ...options,
    onProgress: (progress) => {
      if (progress.stage === 'encode') made.watch?.(texts.length, progress.done);
      options.onProgress?.(progress);
    },
  });
  return made;
}

function isInfo(info: Partial<EncoderInfo>): info is EncoderInfo {
  const { model, maxTokens, hidden, dim, projection } = info;
  const sizes = [...(maxTokens === null ? [] : [maxTokens]), hidden, dim].every(
    (size) => Number.isSafeInteger(size) && (size as number) > 0,
  );
  return sizes && (projection === null ? hidden === dim : typeof projection === 'string') && isModel(model);
}

function isModel(model: unknown): model is ModelReference {
  if (typeof model !== 'object' || model === null) return false;
  const { folder, hub, package: name, version } = model as Record<string, unknown>;
  return typeof folder === 'string' || typeof hub === 'string' || (typeof name === 'string' && typeof version === 'string');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
