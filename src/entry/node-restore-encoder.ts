import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { checkRestored } from '../encoder/admit-encoder.js';
import { DEFAULT_TOKENS, packagedModel } from '../encoder/default/node-default-weights.js';
import { shippedProjection } from '../encoder/default/node-shipped-projection.js';
import type { PoolingEncoder } from '../encoder/encoder.js';
import type { CheckpointFiles } from '../encoder/files/checkpoint-files.js';
import type { ModelReference } from '../encoder/files/model-reference.js';
import { folderFiles } from '../encoder/files/node-files.js';
import { openHub, openModel } from '../encoder/files/node-model.js';
import { modelFolder } from '../encoder/files/node-model-folders.js';
import { limitedEncoder } from '../encoder/limited-encoder.js';
import { encoderOf, readProjection } from '../encoder/node-described-encoder.js';
import type { EncoderOrigin } from '../encoder/origin.js';
import type { KnownEncoder, RestoreOptions } from '../encoder/provided-encoders.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';
import { isInstalled } from './node-encoder-packages.js';
import { loadFiles, openPackage } from './node-load-model.js';

/** What an encoder is made from, whoever says it. */
interface Making extends Pick<EncoderOrigin, 'precision' | 'maxTokens'> {
  open(run: RunOptions): Promise<CheckpointFiles>;
  /** hidden x dim. */
  projection: Float32Array | undefined;
}

/**
 * The encoder that a collection was made with; without an `id` whatever there is in its place.
 * Rejects as `Encoders.restore` says.
 */
export async function restoreEncoder(
  known: Omit<KnownEncoder, 'id'> & Partial<KnownEncoder>,
  { model, threads, ...run }: RestoreOptions,
): Promise<PoolingEncoder> {
  const made = await makingOf(known);
  const open = model === undefined ? made.open : () => openNamed(known, model, run);
  const { precision, maxTokens, projection: matrix } = made;
  const projection = matrix && { matrix, dim: known.dim };
  const encoder = await loadFiles(
    () => open(run),
    { threads, precision, projection, ...run },
    (id, origin) => checkRestored(known, maxTokens, id, origin),
  );
  return limitedEncoder(encoder, maxTokens);
}

/** By what the collection says, what lies beside it, or as the default encoder. */
async function makingOf(known: Omit<KnownEncoder, 'id'>): Promise<Making> {
  const { origin, projection, folder } = known;
  if (origin) {
    const { model, precision, maxTokens } = origin;
    return { open: (run) => openKnown(model, origin, run), precision, maxTokens, projection };
  }
  const info = folder === undefined ? undefined : await encoderOf(folder, known.dim);
  if (info && folder !== undefined) {
    const { model, maxTokens } = info;
    return {
      open: (run) => openDescribed(model, run),
      projection: projection ?? (await readProjection(folder, info)),
      maxTokens,
      precision: 'float32',
    };
  }
  const { package: name, version } = await packagedModel(isInstalled);
  return {
    open: () => openPackage(),
    projection: await shippedProjection(`${name}@${version}`, known.dim),
    maxTokens: DEFAULT_TOKENS,
    precision: 'float32',
  };
}

/** The model of an origin, where it is on this machine or on the hub. */
async function openKnown(
  model: ModelReference,
  { files }: EncoderOrigin,
  run: RunOptions,
): Promise<CheckpointFiles> {
  if ('hub' in model) return openHub(model.hub, { revision: model.revision, ...run });
  if ('package' in model) return openPackage(model.package);
  const folder = await modelFolder(files);
  if (folder !== undefined && existsSync(folder)) return folderFiles(folder);
  const where = folder ?? model.folder;
  const problem =
    folder === undefined
      ? `${where}: this machine does not know where that folder is`
      : `${where}: no such folder`;
  throw notHere(where, problem);
}

/** The same of a description beside the index, which has the path of a folder. */
async function openDescribed(
  model: { package: string } | { folder: string } | { hub: string },
  run: RunOptions,
): Promise<CheckpointFiles> {
  if ('hub' in model) return openHub(model.hub, run);
  if ('package' in model) return openPackage(model.package);
  const { folder } = model;
  if (existsSync(folder)) return folderFiles(folder);
  throw notHere(folder, `${folder}: no such folder`);
}

/** Where the caller says that it is: of the hub at the revision that the collection names. */
async function openNamed(
  { origin }: Pick<KnownEncoder, 'origin'>,
  named: string | URL,
  run: RunOptions,
): Promise<CheckpointFiles> {
  const revision = origin && 'hub' in origin.model ? origin.model.revision : undefined;
  return openModel(named, { revision, ...run });
}

function notHere(where: string, problem: string): LemurError {
  const message =
    `${problem}; expected the encoder's model, ${basename(where)} when the index was made ` +
    '(the option encoder, or --model, names another place)';
  return new LemurError('not-found', message, { where });
}
