import { checkedSource, type UnnamedSource } from '../../bytes/byte-source.js';
import { badFile } from '../../errors.js';
import { excerpt } from '../json/show-json.js';
import { product } from '../safetensors/safetensors-header.js';
import { checkRows, type TensorFile } from '../safetensors/tensor-file.js';
import { openZip } from '../zip/zip-file.js';
import type { PickleMap, PickleValue } from './pickle-values.js';
import { badTorch, readTensor, rowsOf, type StoredTensor } from './stored-tensor.js';
import { checkTorchFormat, readTorchProgram, sharingLimit } from './torch-program.js';

/** Where training programs keep a model's state among other things, the likeliest first. */
const STATE_KEYS = ['state_dict', 'model_state_dict', 'model'] as const;

/**
 * Opens the state dictionary that torch.save wrote (since torch 1.6) into a file of any size, such
 * as pytorch_model.bin. Reads and checks the zip's directory and the pickle; a tensor's values are
 * read when they are asked for.
 *
 * The state is the dictionary under `state_dict`, `model_state_dict` or `model` where one of these
 * holds tensors by name, else the outermost one, else the only one within it that holds tensors.
 * Anything in it that is no tensor is left out.
 *
 * Values that lie one after another are read and converted a few MiB at a time, and no other bytes
 * than theirs; those of a strided tensor, or of rows of one, together with all that lies between
 * them. The checksum is that of a storage: it is checked where all of that is read, as it is for a
 * tensor that has it for itself, and not for rows.
 *
 * `where` names the file in errors. Rejects as `openZip` and `readTorchProgram` do, and with
 * 'bad-file' where there is no state.
 */
export async function openTorchTensors(
  given: UnnamedSource,
  at?: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<TensorFile> {
  const source = checkedSource(given, at, 'torch');
  const { name: where } = source;
  await checkTorchFormat(source, signal);
  const zip = await openZip(source, where, signal);
  const { value, tensors } = await readTorchProgram(zip, source.size, where, signal);
  const stored = new Map<string, StoredTensor>();
  // again: one tensor may have many names, and is read for each
  const count = sharingLimit(source.size, where);
  for (const [name, item] of stateOf(value, tensors, where)) {
    const tensor = tensors.get(item);
    if (typeof name !== 'string' || !tensor) continue;
    count(product(tensor.shape));
    stored.set(name, tensor);
  }

  return {
    tensors: new Map([...stored].map(([name, { type, shape }]) => [name, { type, shape }])),
    async readFloats(name, { rows, signal: abort } = {}) {
      const tensor = stored.get(name);
      if (!tensor) throw badFile(where, `no tensor '${excerpt(name)}'`);
      const { type, shape } = tensor;
      if (!type.includes('F'))
        throw badTorch(where, `tensor ${name} of type ${type}, expected a floating-point one`);
      const wanted = rows ? rowsOf(tensor, ...checkRows(rows, shape, `${where}: ${name}`)) : tensor;
      abort?.throwIfAborted();
      return readTensor(zip, wanted, where, abort);
    },
  };
}

function stateOf(
  value: PickleValue,
  tensors: ReadonlyMap<PickleValue, StoredTensor>,
  where: string,
): PickleMap {
  const holdsTensors = (item: PickleValue | undefined): boolean => {
    if (!(item instanceof Map)) return false;
    for (const [name, inner] of item)
      if (typeof name === 'string' && tensors.has(inner)) return true;
    return false;
  };
  if (value instanceof Map) {
    const found = [...STATE_KEYS.map((key) => value.get(key)), value].find(holdsTensors);
    // once each: a dictionary may be there under many keys
    const others = found ? [found] : [...new Set(value.values())].filter(holdsTensors);
    if (others.length === 1) return others[0] as PickleMap;
  }
  throw badTorch(
    where,
    `no dictionary of tensors, expected one, or one under ${STATE_KEYS.join(', ')}`,
  );
}
