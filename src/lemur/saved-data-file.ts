import { eachChunk } from '../bytes/byte-source.js';
import { crc32 } from '../bytes/crc32.js';
import { badFile, LemurError } from '../errors.js';
import { openSafetensors, type SafetensorsFile } from '../formats/safetensors/safetensors-file.js';
import type { ReadableStorage } from '../storage/storage.js';
import { sharedFloats } from '../tokens/gather.js';
import type { FileEntry } from './saved-manifest.js';

/** A data file and what to call it. */
export interface DataFile {
  file: SafetensorsFile;
  where: string;
  close(): Promise<void>;
}

/**
 * A data file whose length and checksum have been found right; only its header is kept. It stays
 * the one that was checked, whatever takes its name.
 */
export async function openDataFile(
  storage: ReadableStorage,
  entry: FileEntry,
  opened: DataFile[],
): Promise<DataFile> {
  const where = `${storage.name}/${entry.name}`;
  const stored = await storage.open(entry.name);
  try {
    if (stored.size !== entry.bytes) {
      const sizes = `${stored.size} bytes, expected ${entry.bytes}`;
      const problem = `${where}: ${sizes}: the file is truncated or from another save`;
      throw new LemurError('bad-file', problem, { where });
    }
    let sum = 0;
    await eachChunk(stored, 0, stored.size, undefined, (chunk) => {
      sum = crc32(chunk, sum);
    });
    if (sum !== entry.crc32) throw badFile(where, 'the checksum is wrong, the file is damaged');
    const data = { file: await openSafetensors(stored, where), where, close: () => stored.close() };
    opened.push(data);
    return data;
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/**
 * Refuses a tensor that is missing, of another type or of another shape; null stands for any number
 * of rows.
 */
export function checkTensor(
  { file, where }: DataFile,
  name: string,
  type: string,
  shape: readonly (number | null)[],
): { rows: number } {
  const tensor = file.tensors.get(name);
  if (!tensor) throw badFile(where, `no tensor '${name}'`);
  const fits = (n: number | null, i: number): boolean =>
    n === null ? tensor.shape[i] > 0 : tensor.shape[i] === n;
  if (tensor.type !== type || tensor.shape.length !== shape.length || !shape.every(fits)) {
    const expected = `${type} [${shape.map((n) => n ?? 'rows')}]`;
    throw badFile(
      where,
      `tensor '${name}' is ${tensor.type} [${tensor.shape}], expected ${expected}`,
    );
  }
  return { rows: tensor.shape[0] };
}

/**
 * A tensor's values in shared memory where there is some: what is large the device then uses where
 * it lies.
 */
export async function readShared(
  { file }: DataFile,
  name: string,
  length: number,
): Promise<Float32Array> {
  const values = sharedFloats(length);
  await file.readInto(name, new Uint8Array(values.buffer));
  return values;
}
