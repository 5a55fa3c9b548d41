import { openSafetensors, type SafetensorsFile } from '../formats/safetensors/safetensors-file.js';
import type { ReadableStorage } from './storage.js';
import { storedSource } from './stored-source.js';

/**
 * A stored safetensors file, of which only the header is read at once. Rejects with 'not-found' and
 * 'bad-file'.
 */
export async function openStoredSafetensors(
  storage: ReadableStorage,
  file: string,
): Promise<SafetensorsFile> {
  return openSafetensors(await storedSource(storage, file));
}
