import type { SearchDevice } from '../../device/device.js';
import type { Tensor } from '../../device/memory.js';
import { badFile } from '../../errors.js';
import type { CheckedFile } from './checked-file.js';

/**
 * A section as a tensor: left in the file where the device can read it; read whole and checked
 * where that costs little, or where it is to be `resident`. Null: it stays in the storage, and what
 * is needed of it is fetched. Rejects with 'bad-file'.
 */
export async function openRows<D extends 'i8' | 'f32'>(
  device: SearchDevice,
  file: CheckedFile,
  section: string,
  dtype: D,
  length: number,
  resident = false,
): Promise<Tensor<D> | null> {
  checkLength(file, section, dtype, length);
  const { descriptor, inMemory, name } = file.stored;
  if (descriptor === undefined && !inMemory) return null;
  if (!resident && device.readsFiles && descriptor !== undefined)
    return device.attach(dtype, length, { descriptor, offset: file.offset(section), name });
  const { bytes } = await file.read(section);
  const shared =
    typeof SharedArrayBuffer === 'undefined'
      ? new ArrayBuffer(bytes.length)
      : new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  return device.upload(
    dtype,
    (dtype === 'i8' ? new Int8Array(shared) : new Float32Array(shared)) as never,
  );
}

function checkLength(
  file: CheckedFile,
  section: string,
  dtype: 'i8' | 'f32',
  length: number,
): void {
  const found = file.sections.get(section);
  const held = found?.shape.reduce((size, n) => size * n, 1);
  if (held === length && found?.type === { i8: 'I8', f32: 'F32' }[dtype]) return;
  const where = file.stored.name;
  const problem = `${found?.type} [${found?.shape}], expected ${length} values`;
  throw badFile(where, `${section}: ${problem}`);
}
