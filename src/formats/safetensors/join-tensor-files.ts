import { badFile, type LemurError } from '../../errors.js';
import { excerpt, showJson } from '../json/show-json.js';
import type { SafetensorsTensor } from './safetensors-header.js';
import type { TensorFile } from './tensor-file.js';

/**
 * Tensors that are spread over several files, as one. `index` is what model.safetensors.index.json
 * or pytorch_model.bin.index.json has, parsed: `{ weight_map: { tensor: file } }`; `where` names it
 * in errors. `open` is called once for each file, one after another, with its name as the index has
 * it: a plain name, never a path. Tensors that the index does not name are not there.
 *
 * Rejects with 'bad-file' for an index that is none, a name that is a path, and a tensor that its
 * file does not have; else as `open` does.
 */
export async function joinTensorFiles(
  index: unknown,
  where: string,
  open: (file: string) => Promise<TensorFile>,
): Promise<TensorFile> {
  const places = weightMap(index, where);
  const files = new Map<string, TensorFile>();
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, file] of places) {
    const opened = files.get(file) ?? (await open(file));
    files.set(file, opened);
    const tensor = opened.tensors.get(name);
    if (!tensor) throw badWeights(where, `${showJson(name)} is not in ${file}`);
    tensors.set(name, tensor);
  }

  return {
    tensors,
    async readFloats(name, options) {
      const file = files.get(places.get(name) ?? '');
      if (!file) throw badFile(where, `no tensor '${excerpt(name)}'`);
      return file.readFloats(name, options);
    },
  };
}

/** The files that an index names, each once. Raises 'bad-file' as `joinTensorFiles` does. */
export function shardNames(index: unknown, where: string): string[] {
  return [...new Set(weightMap(index, where).values())];
}

/** Files by the tensors in them; all names are checked before any file is asked for. */
function weightMap(index: unknown, where: string): Map<string, string> {
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map))
    throw badWeights(
      where,
      `weight_map ${showJson(map)}, expected an object of tensors' names and files`,
    );
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !isPlainName(file))
      throw badWeights(where, `${showJson(name)} in ${showJson(file)}, expected a file's name`);
    places.set(name, file);
  }
  return places;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it stays in the folder that it is looked up in, on every platform. */
function isPlainName(file: string): boolean {
  // a colon names a drive or a stream on Windows
  return (
    file !== '' &&
    file !== '.' &&
    file.length <= 255 &&
    !file.includes('..') &&
    !/[/\\:\p{Cc}]/u.test(file)
  );
}

function badWeights(where: string, problem: string): LemurError {
  return badFile(where, `not a valid index of weights: ${problem}`);
}
