import { stat } from 'node:fs/promises';
import { absolutePath } from '../../bytes/node-path.js';
import { LemurError } from '../../errors.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import { hubFiles } from './hub.js';
import { checkRevision, type HubOptions, isHubId } from './hub-options.js';
import { folderFiles } from './node-files.js';
import { hubFolder } from './node-hub-cache.js';

export interface ModelOptions extends HubOptions {
  /** Where files of the hub are kept. Default: `lemur` in the user's folder of caches. */
  cacheFolder?: string | undefined;
}

/** A page's address, not a drive letter. */
const PAGE = /^https?:/i;

/**
 * A folder's files where there is one of that path or `file:` URL, else the hub's for an id. Raises
 * 'invalid-argument' for what is neither.
 */
export async function openModel(
  model: string | URL,
  options: ModelOptions,
): Promise<CheckpointFiles> {
  if (PAGE.test(String(model))) {
    const problem =
      'Node loads checkpoints from a folder, or from the hub by an id such as owner/name ' +
      '(options.endpoint names another hub)';
    throw new LemurError('unsupported', `loadEncoder: ${model}: ${problem}`, {
      where: 'loadEncoder',
    });
  }
  const path = absolutePath(model, 'loadEncoder');
  const name = typeof model === 'string' && !/^file:/i.test(model) ? model : path;
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder || !isHubId(name)) return folderFiles(name);
  return openHub(name, options);
}

/** The hub's files for an id, whatever folder there is of that name. Raises 'invalid-argument'. */
export function openHub(id: string, options: ModelOptions): CheckpointFiles {
  const { HF_ENDPOINT, HF_TOKEN } = process.env;
  const hub = {
    ...options,
    endpoint: options.endpoint ?? (HF_ENDPOINT || undefined),
    token: options.token ?? HF_TOKEN,
  };
  const { revision = 'main' } = options;
  checkRevision(revision);
  const cacheFolder =
    options.cacheFolder === undefined
      ? undefined
      : absolutePath(options.cacheFolder, 'cacheFolder');
  return hubFiles(id, hubFolder(id, revision, cacheFolder), hub);
}
