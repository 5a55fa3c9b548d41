import { absolutePath } from '../bytes/node-path.js';
import { packagedModel } from '../encoder/default/node-default-weights.js';
import type { PoolingEncoder } from '../encoder/encoder.js';
import type { CheckpointFiles } from '../encoder/files/checkpoint-files.js';
import { folderFiles } from '../encoder/files/node-files.js';
import { type ModelOptions, openModel } from '../encoder/files/node-model.js';
import { noteModelFolder } from '../encoder/files/node-model-folders.js';
import { withModel } from '../encoder/files/recorded-files.js';
import { type CheckFound, loadCheckpoint } from '../encoder/load-checkpoint.js';
import type { LoadOptions } from '../encoder/load-options.js';
import { isInstalled } from './node-encoder-packages.js';
import { nodeEncoderPlatform } from './node-encoder-platform.js';

/**
 * An encoder of a folder or of an id of the hub, as its files say; without a name that of the
 * default weights, with no projection of its own. Rejects as `loadEncoder` does.
 */
export async function loadModel(
  name: string | undefined,
  options: LoadOptions & ModelOptions,
): Promise<PoolingEncoder> {
  return loadFiles(() => (name === undefined ? openPackage() : openModel(name, options)), options);
}

/** An encoder of files, whose folder, if they have one, this process remembers. */
export async function loadFiles(
  open: () => Promise<CheckpointFiles>,
  options: LoadOptions,
  check?: CheckFound,
): Promise<PoolingEncoder> {
  let folder = '';
  const noted = async (): Promise<CheckpointFiles> => {
    const files = await open();
    folder = files.name;
    return files;
  };
  const encoder = await loadCheckpoint(nodeEncoderPlatform, noted, options, check);
  const { origin } = encoder;
  if (origin && 'folder' in origin.model) noteModelFolder(origin.files, absolutePath(folder));
  return encoder;
}

/** The files of a package's model, the default one's by default. Rejects with 'missing-package'. */
export async function openPackage(name?: string): Promise<CheckpointFiles> {
  const { folder, ...model } = await packagedModel(isInstalled, name);
  return withModel(await folderFiles(folder), model);
}
