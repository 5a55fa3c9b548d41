import { bytesSource } from '../../bytes/byte-source.js';
import { openZip } from './zip-file.js';

/**
 * Reads a zip file of stored (not compressed) entries that is in memory, as `openZip` does, and
 * checks every entry and its CRC. Entries are views of `file`. `where` names the file in errors.
 * Rejects as `openZip` does.
 */
export async function readZip(
  file: Uint8Array,
  where: string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const zip = await openZip(bytesSource(file, where));
  const out = new Map<string, Uint8Array>();
  for (const [name, size] of zip.sizes) {
    await zip.each(name, 0, size, undefined, () => {});
    const begin = await zip.begin(name);
    out.set(name, file.subarray(begin, begin + size));
  }
  return out;
}
