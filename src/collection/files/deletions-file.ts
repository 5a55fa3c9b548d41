import type { ReadableStorage } from '../../storage/storage.js';
import { type EncodedFile, encodeCheckedFile, openCheckedFile } from './checked-file.js';
import type { FileEntry } from './manifest.js';

const DELETED = 'lemur-deleted';

/** Which documents of a segment are deleted: a byte each, 1 for those that are. */
export function encodeDeletions(name: string, deleted: Uint8Array): Promise<EncodedFile> {
  return encodeCheckedFile(name, DELETED, { deleted: { shape: [deleted.length], data: deleted } });
}

/** Rejects with 'not-found' and 'bad-file'. */
export async function openDeletions(
  storage: ReadableStorage,
  entry: FileEntry,
  documents: number,
): Promise<Uint8Array> {
  const file = await openCheckedFile(storage, entry, DELETED);
  try {
    return await file.array<Uint8Array>('deleted', 'U8', [documents]);
  } finally {
    await file.stored.close();
  }
}
