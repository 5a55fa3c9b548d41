import type { ByteSource } from '../bytes/byte-source.js';
import { openSafetensors, type SafetensorsFile } from '../formats/safetensors/safetensors-file.js';
import type { Storage } from './storage.js';

/** A stored file to be read in parts. Rejects with 'not-found'. */
export async function storedRanges(storage: Storage, file: string): Promise<ByteSource> {
  return {
    name: `${storage.name}/${file}`,
    size: await storage.size(file),
    read: (offset, length) => storage.readRange(file, offset, length),
  };
}

/**
 * A stored safetensors file, of which only the header is read at once. Rejects with 'not-found' and
 * 'bad-file'.
 */
export async function openStoredSafetensors(
  storage: Storage,
  file: string,
): Promise<SafetensorsFile> {
  return openSafetensors(await storedRanges(storage, file), `${storage.name}/${file}`);
}
