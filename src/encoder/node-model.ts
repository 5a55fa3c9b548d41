import { stat } from 'node:fs/promises';
import type { CheckpointFiles } from './checkpoint-files.js';
import { type HubOptions, hubFiles, isHubId } from './hub.js';
import { folderFiles } from './node-files.js';
import { hubFolder } from './node-hub-cache.js';

export interface ModelOptions extends HubOptions {
  /** Where files of the hub are kept. Default: `lemur` in the user's folder of caches. */
  cacheFolder?: string | undefined;
}

/** A folder's files where there is one of that path, else the hub's for an id. */
export async function openModel(model: string, options: ModelOptions): Promise<CheckpointFiles> {
  const isFolder = await stat(model).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder || !isHubId(model)) return folderFiles(model);
  const { HF_ENDPOINT, HF_TOKEN } = process.env;
  const hub = { ...options, endpoint: options.endpoint ?? (HF_ENDPOINT || undefined), token: options.token ?? HF_TOKEN };
  return hubFiles(model, hubFolder(model, options.revision ?? 'main', options.cacheFolder), hub);
}
