import type { CheckpointFile, CheckpointFiles } from './checkpoint-files.js';
import type { ModelReference } from './model-reference.js';

/** The files of a checkpoint, and those of them that were looked for and found. */
export interface RecordedFiles extends CheckpointFiles {
  /** By name. */
  readonly found: ReadonlyMap<string, CheckpointFile>;
}

/** Notes what is found of a checkpoint's files. */
export function recordedFiles(files: CheckpointFiles): RecordedFiles {
  const found = new Map<string, CheckpointFile>();
  return {
    name: files.name,
    model: files.model,
    open: files.open,
    names: () => files.names(),
    settle: async () => files.settle?.(),
    reject: async () => files.reject?.(),
    found,
    async find(name) {
      const file = await files.find(name);
      if (file) found.set(name, file);
      return file;
    },
  };
}

/** Files that are found by another name than by their own. */
export function withModel(files: CheckpointFiles, model: ModelReference): CheckpointFiles {
  return { ...files, model, find: (name) => files.find(name), names: () => files.names() };
}
