import { badFile, LemurError, unsupported } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import { type CheckpointFiles, needJson, readJson } from '../files/checkpoint-files.js';

/** An entry of modules.json: the last part of its type, and its folder. */
export interface Module {
  readonly kind: string;
  readonly path: string;
}

/** Modules that are understood. */
const MODULES = [
  'Transformer',
  'Pooling',
  'Dense',
  'Normalize',
  'MultiVectorMask',
  'HierarchicalTokenPooling',
];

/**
 * The modules of modules.json in their order; undefined where there is none. Rejects with
 * 'bad-file' and 'unsupported'.
 */
export async function readModules(files: CheckpointFiles): Promise<Module[] | undefined> {
  const found = await readJson(files, 'modules.json');
  if (!found) return undefined;
  const { where } = found;
  const list: unknown = found.json;
  const isModule = (value: unknown): value is { type: string; path: string } =>
    typeof value === 'object' &&
    value !== null &&
    ['type', 'path'].every((key) => typeof (value as Record<string, unknown>)[key] === 'string');
  if (!Array.isArray(list) || !list.every(isModule))
    throw badFile(where, 'expected an array of modules with type and path');
  const outside = list.find(
    ({ path }) => path.startsWith('/') || /[\\:]/.test(path) || path.split('/').includes('..'),
  );
  if (outside)
    throw badFile(
      where,
      `a module at ${showJson(outside.path)}, expected a folder in the checkpoint`,
    );
  const modules = list.map(({ type, path }) => ({ kind: type.split('.').at(-1) ?? type, path }));
  const unknown = modules.find(({ kind }) => !MODULES.includes(kind));
  if (unknown) {
    const message =
      `${where}: a module of type ${showJson(unknown.kind)}, supported: ` + `${MODULES.join(', ')}`;
    throw new LemurError('unsupported', message, { where });
  }
  return modules;
}

/**
 * Whether vectors of tokens are brought to unit length: a Normalize may be one of pooled vectors.
 */
export async function normalizesTokens(
  files: CheckpointFiles,
  modules: readonly Module[],
): Promise<boolean> {
  for (const { kind, path } of modules) {
    if (
      kind === 'HierarchicalTokenPooling' &&
      (await readJson(files, inFolder(path, 'config.json')))?.json.normalize_embeddings === true
    )
      return true;
    if (kind !== 'Normalize') continue;
    const config = path === '' ? undefined : await readJson(files, inFolder(path, 'config.json'));
    // older versions wrote no configuration, and normalised whatever there was
    if (!config || (config.json.module_input_name ?? 'sentence_embedding') === 'token_embeddings')
      return true;
  }
  return false;
}

/**
 * Rejects with 'unsupported' for a module that merges tokens by another distance than an index's
 * `pooling`.
 */
export async function checkPooling(
  files: CheckpointFiles,
  modules: readonly Module[],
): Promise<void> {
  for (const { kind, path } of modules) {
    if (kind !== 'HierarchicalTokenPooling') continue;
    const { json, where } = await needJson(files, inFolder(path, 'config.json'));
    const { pool_factor: factor = 1 } = json;
    if (typeof factor === 'number' && factor <= 1) continue;
    const problem =
      `pool_factor is ${showJson(factor)}, supported: 1; ` +
      `take the module out of modules.json and give an index { pooling: ${showJson(factor)} }`;
    throw unsupported(
      where,
      `${problem}, which clusters by the distances of vectors instead of their cosines`,
    );
  }
}

export function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
