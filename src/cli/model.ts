import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openCheckpoint } from '../encoder/checkpoint/checkpoint.js';
import { DEFAULT_TOKENS, packagedModel } from '../encoder/default/node-default-weights.js';
import { orReject } from '../encoder/files/checkpoint-files.js';
import { isHubId } from '../encoder/files/hub-options.js';
import { openModel } from '../encoder/files/node-model.js';
import type { PoolingEncoder, Projection } from '../entry/node-encoder.js';
import { isInstalled } from '../entry/node-encoder-packages.js';
import { loadModel } from '../entry/node-load-model.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import { refuseMerging } from './merging.js';

/** A model that was found. */
export interface FoundModel {
  /** A folder, or an id of the hub. */
  name: string;
  isHub: boolean;
  /** `name@version` of the package that it is in. */
  packaged?: string | undefined;
}

/**
 * The folder or the hub's id that was asked for, or the default encoder's folder. Raises
 * 'missing-package' with what to install, and 'not-found'.
 */
export async function findModel(named: string | undefined): Promise<FoundModel> {
  if (named === undefined) {
    const { folder, package: name, version } = await packagedModel(isInstalled);
    return { name: folder, isHub: false, packaged: `${name}@${version}` };
  }
  const path = resolve(named);
  if (existsSync(path)) return { name: path, isHub: false };
  if (isHubId(named)) return { name: named, isHub: true };
  const message =
    `${path}: no such folder; expected an encoder's, or an id of the hub such as ` +
    'owner/name (--model names another)';
  throw new LemurError('not-found', message, { where: path });
}

/** Facts about a checkpoint that its files tell before it is loaded. */
export interface ModelFacts {
  /**
   * Tokens of a text that are encoded where nothing else is asked for; undefined: a
   * late-interaction checkpoint, which says that itself.
   */
  maxTokens: number | undefined;
  /** Dimension of its token vectors. */
  dim: number;
}

/**
 * Reads them, downloading the hub's. Raises 'invalid-argument' for more tokens than it has
 * positions for, and as `loadEncoder` does for what is missing or not supported.
 */
export async function checkModel(
  name: string,
  maxTokens: number | undefined,
  run: RunOptions,
): Promise<ModelFacts> {
  const files = await openModel(name, run);
  const { settings, positions, dim } = await orReject(
    () => files,
    () => openCheckpoint(files, 'float32'),
  );
  // those around a text, and a late-interaction checkpoint's marker
  const most = positions - (settings ? 3 : 2);
  if (maxTokens !== undefined && maxTokens > most) {
    const expected = `the model in ${name} takes texts of ${most} tokens at most`;
    const problem = `--max-tokens ${maxTokens}: ${expected}`;
    throw new LemurError('invalid-argument', problem, { where: '--max-tokens' });
  }
  return { maxTokens: settings ? undefined : Math.min(DEFAULT_TOKENS, most), dim };
}

/** The encoder of a model with a projection, or without one. */
export function openEncoder(
  { name, packaged }: FoundModel,
  projection: Projection | undefined,
  threads: number | undefined,
): Promise<PoolingEncoder> {
  refuseMergedEncoder();
  return loadModel(packaged === undefined ? name : undefined, { threads, projection });
}

/** Before an encoder is loaded that computes in this process. */
export function refuseMergedEncoder(): void {
  if (!isInstalled('onnxruntime-node'))
    refuseMerging('onnxruntime-web encodes in this process, and would be merged unchecked');
}
