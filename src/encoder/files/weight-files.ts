import { joinTensorFiles, shardNames } from '../../formats/safetensors/join-tensor-files.js';
import { openSafetensors } from '../../formats/safetensors/safetensors-file.js';
import type { TensorFile } from '../../formats/safetensors/tensor-file.js';
import { openTorchTensors } from '../../formats/torch/torch-tensors.js';
import {
  type CheckpointFile,
  type CheckpointFiles,
  missing,
  needJson,
  type OpenFile,
} from './checkpoint-files.js';

/** One file of weights, or several and the index that says which tensor is in which. */
export interface WeightFiles {
  /** The file, or the index. */
  readonly where: string;
  readonly files: readonly WeightFile[];
  /** The index as it is parsed; undefined: one file. */
  readonly index: Readonly<Record<string, unknown>> | undefined;
}

interface WeightFile extends CheckpointFile {
  readonly name: string;
}

const SAFETENSORS = ['model.safetensors', 'model.fp16.safetensors'];
/** What torch.save writes. */
const TORCH = 'pytorch_model.bin';
const INDEXES = ['model.safetensors.index.json', 'pytorch_model.bin.index.json'];

/**
 * The weights in a folder of a checkpoint, safetensors rather than torch's. Rejects with
 * 'not-found', or 'bad-file' for an index that is none.
 */
export async function findWeights(files: CheckpointFiles, folder: string): Promise<WeightFiles> {
  const path = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
  for (const name of [...SAFETENSORS, INDEXES[0], TORCH, INDEXES[1]]) {
    const file = await files.find(path(name));
    if (!file) continue;
    if (!INDEXES.includes(name))
      return { where: file.where, files: [{ name, ...file }], index: undefined };
    const { json, where } = await needJson(files, path(name));
    const parts = [];
    for (const shard of shardNames(json, where)) {
      const part = await files.find(path(shard));
      if (!part) throw await missing(files, path(shard));
      parts.push({ name: shard, ...part });
    }
    return { where, files: parts, index: json };
  }
  const others =
    folder === '' ? (await files.names()).filter((name) => name.endsWith('.safetensors')) : [];
  const only = others.length === 1 ? await files.find(others[0]) : undefined;
  if (only) return { where: only.where, files: [{ name: others[0], ...only }], index: undefined };
  throw await missing(files, `${path('model.safetensors')}, a single *.safetensors or ${TORCH}`);
}

/** Opens them. Rejects with 'bad-file' and 'unsupported'. */
export async function openWeights(
  open: OpenFile,
  { where, files, index }: WeightFiles,
): Promise<TensorFile> {
  const openFile = async (file: WeightFile): Promise<TensorFile> => {
    const source = await open(file);
    return file.name.endsWith('.safetensors') ? openSafetensors(source) : openTorchTensors(source);
  };
  if (index === undefined) return openFile(files[0]);
  return joinTensorFiles(index, where, (shard) =>
    openFile(files.find(({ name }) => name === shard) as WeightFile),
  );
}
