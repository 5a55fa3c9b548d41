import type { ByteSource } from '../bytes/byte-source.js';
import type { ReadableStorage, StoredFile } from './storage.js';

/** Opens a stored file for `use` and closes it after that. Rejects with 'not-found'. */
export async function withStoredFile<T>(
  storage: ReadableStorage,
  file: string,
  use: (opened: StoredFile) => T | Promise<T>,
): Promise<T> {
  const opened = await storage.open(file);
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

/** A file's length in bytes. Rejects with 'not-found'. */
export function storedSize(storage: ReadableStorage, file: string): Promise<number> {
  return withStoredFile(storage, file, ({ size }) => size);
}

/**
 * A stored file that is opened for each read, for those who do not say when they need it no more.
 * Rejects with 'not-found'.
 */
export async function storedSource(
  storage: ReadableStorage,
  file: string,
  name = `${storage.name}/${file}`,
): Promise<ByteSource> {
  return {
    name,
    size: await storedSize(storage, file),
    read: (offset, length) =>
      withStoredFile(storage, file, (opened) => opened.read(offset, length)),
  };
}
