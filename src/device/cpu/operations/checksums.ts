import { LemurError } from '../../../errors.js';
import type { CpuTensor } from '../cpu-tensor.js';
import { elementBytes } from '../typed-view.js';
import type { Context } from './operation.js';

/**
 * Raises 'bad-file' where values `from` to `to`, those of text `text` that were copied to
 * `address`, came from a file and are not what their checksum was made of. What is so stays in
 * memory, where the tensor has a cache.
 */
export function checkText(
  context: Context,
  tensor: CpuTensor,
  from: number,
  to: number,
  address: number,
  checks: CpuTensor<'i32'>,
  text: number,
): void {
  const name = context.file(tensor, from, to);
  if (name === null) return;
  const got = context.crc32(address, (to - from) * elementBytes(tensor.dtype));
  const expected = context.view(checks)[text];
  if (got === expected) {
    context.cache(tensor, from, to, address);
    return;
  }
  const shown = (sum: number): string => (sum >>> 0).toString(16).padStart(8, '0');
  throw new LemurError(
    'bad-file',
    `${name}: text ${text}: checksum ${shown(got)}, expected ${shown(expected)}: ` +
      'the file is damaged',
    {
      where: name,
    },
  );
}
