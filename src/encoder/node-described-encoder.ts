import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readWhole } from '../bytes/node-file.js';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { badFile, LemurError } from '../errors.js';
import { showJson } from '../formats/json/show-json.js';
import { readFloats } from '../formats/npy/node-npy.js';

/**
 * The description of an index's encoder, beside the index's own files, where an earlier version's
 * command line made it; by now the manifest has it.
 */
export const ENCODER = 'encoder.json';
/** Hidden x dim, float32. */
const PROJECTION = 'projection.npy';

const FORMAT = 'lemur-encoder';
const VERSION = 1;

/** Where the weights come from: a folder is a path here. */
type DescribedModel = { package: string; version: string } | { folder: string } | { hub: string };

/** `encoder.json`. */
export interface EncoderInfo {
  model: DescribedModel;
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
 * The description in the folder; undefined where there is none. Raises 'bad-file' and
 * 'unsupported'.
 */
export async function readEncoderInfo(folder: string): Promise<EncoderInfo | undefined> {
  const path = join(folder, ENCODER);
  if ((await whatLiesAt(path)) === undefined) return undefined;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readWhole(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badFile(path, 'not JSON, the file is damaged or truncated', cause);
  }
  const { format, version, ...info } = (value ?? {}) as Partial<EncoderInfo> & {
    format?: unknown;
    version?: unknown;
  };
  if (format === FORMAT && version !== VERSION) {
    const got = `format version ${showJson(version)}`;
    const problem = `${path}: ${got}, this version of the package reads ${VERSION}`;
    throw new LemurError('unsupported', problem, { where: path });
  }
  if (format === FORMAT && isInfo(info)) return info;
  throw badFile(path, `not the description of an encoder, or damaged: ${showJson(value)}`);
}

/**
 * The description of the encoder of a collection whose token vectors have `dim` dimensions. That of
 * a narrower one is written before the collection becomes narrower, so until then, and where that
 * was interrupted, the model's vectors are taken as they are.
 */
export async function encoderOf(folder: string, dim: number): Promise<EncoderInfo | undefined> {
  const info = await readEncoderInfo(folder);
  return info && dim === info.hidden && info.dim < dim
    ? { ...info, dim, projection: null, narrowTo: info.dim }
    : info;
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
  throw badFile(path, `not the bytes that ${ENCODER} speaks of: the file is damaged`);
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

function isModel(model: unknown): model is DescribedModel {
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
