import { bytesSource, eachChunk } from '../../bytes/byte-source.js';
import { readZip } from '../zip/zip.js';
import type { ZipContents } from '../zip/zip-file.js';
import type { PickleMap, PickleTensor, PickleValue } from './pickle-values.js';
import { readTensor } from './stored-tensor.js';
import { checkTorchFormat, readTorchProgram } from './torch-program.js';

export type { PickleMap as TorchMap, PickleTensor as TorchTensor, PickleValue as TorchValue };

/**
 * Reads what torch.save writes since torch 1.6: a zip with a pickle and a file for each storage.
 * Tensors come as float32, row-major, whatever their type and strides. `where` names the file in
 * errors. Rejects as `readZip` and `readTorchProgram` do. `openTorchTensors` reads larger files in
 * parts.
 */
export async function readTorchFile(bytes: Uint8Array, where: string): Promise<PickleValue> {
  await checkTorchFormat(bytesSource(bytes, where));
  const entries = await readZip(bytes, where);
  const contents: ZipContents = {
    sizes: new Map([...entries].map(([name, data]) => [name, data.length])),
    each: (name, from, to, signal, use) =>
      eachChunk(bytesSource(entries.get(name)!, where), from, to, signal, use),
  };
  const { value, tensors } = await readTorchProgram(contents, bytes.length, where);
  for (const [tensor, stored] of tensors)
    (tensor as { data: Float32Array }).data = await readTensor(contents, stored, where);
  return value;
}
