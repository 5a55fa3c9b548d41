import { join } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { type IndexManifest, MANIFEST } from '../collection/files/manifest.js';
import { decodeManifest } from '../collection/files/manifest-file.js';
import { dataFilesLeft } from '../collection/files/own-files.js';
import { Index } from '../collection/index.js';
import type { DeviceName } from '../device/default-device.js';
import { LemurError, notFound } from '../errors.js';
import { folderStorage } from '../storage/node-folder.js';
import { type EncoderOptions, type IndexEncoder, openIndexEncoder } from './index-encoder.js';

export interface OpenIndexOptions {
  write?: boolean;
  /** Whether a reader sees by itself what a writer commits. */
  follow?: boolean;
  /**
   * Whether texts must be encoded: the encoder is opened too, and an index of token vectors
   * refused.
   */
  texts?: boolean;
  /** Folder of the encoder's weights, where they have moved. */
  model?: string | undefined;
  threads: number | undefined;
  device?: DeviceName | undefined;
}

/** An index and what encodes its texts. */
export interface OpenedIndex {
  folder: string;
  index: Index;
  /** Another one when the index has become narrower. */
  encoder: IndexEncoder | undefined;
  weights: EncoderOptions;
  close(): Promise<void>;
}

/** Whether there is an index in the folder. */
export async function hasIndex(folder: string): Promise<boolean> {
  return (await whatLiesAt(join(folder, MANIFEST))) !== undefined;
}

/** Raises 'not-found' with what to do. */
export async function readManifest(folder: string): Promise<IndexManifest> {
  const storage = folderStorage(folder);
  if (await hasIndex(folder))
    return decodeManifest(await storage.read(MANIFEST), join(folder, MANIFEST));
  const left =
    (await whatLiesAt(folder)) === 'folder' && (await dataFilesLeft(storage, await storage.list()));
  throw notFound(folder, left || 'no index here; `lemur add` makes one');
}

/**
 * Opens an index with the encoder that it was made with. Raises what `Index.open` raises, and
 * 'invalid-argument' for texts where there is no encoder.
 */
export async function openIndex(folder: string, options: OpenIndexOptions): Promise<OpenedIndex> {
  const { write, follow, texts, model, threads, device } = options;
  const made = await readManifest(folder);
  const encoder = texts ? await openIndexEncoder(folder, made, { model, threads }) : undefined;
  if (texts && !encoder) {
    const why = made.encoder
      ? `with an encoder of its own, ${made.encoder.id}`
      : 'from ready-made vectors';
    throw new LemurError('invalid-argument', `${folder} was made ${why}: give vectors, not texts`, {
      where: folder,
    });
  }
  try {
    const encoding = encoder ?? (false as const);
    const opening = { write, follow, encoder: encoding, threads, device };
    const index = await Index.open(folder, opening);
    return opened(folder, index, encoder, { model, threads });
  } catch (error) {
    await encoder?.close();
    // it became narrower while the encoder was being loaded
    if ((await readManifest(folder)).encoder?.id !== made.encoder?.id)
      return openIndex(folder, options);
    throw error;
  }
}

export function opened(
  folder: string,
  index: Index,
  encoder: IndexEncoder | undefined,
  weights: EncoderOptions,
): OpenedIndex {
  const it: OpenedIndex = {
    folder,
    index,
    encoder,
    weights,
    async close() {
      await index.close();
      await it.encoder?.close();
    },
  };
  return it;
}

/** Opens it, uses it, and closes it whatever happens. */
export async function withIndex<T>(
  folder: string,
  options: OpenIndexOptions,
  use: (opened: OpenedIndex) => Promise<T>,
): Promise<T> {
  const it = await openIndex(folder, options);
  try {
    return await use(it);
  } finally {
    await it.close();
  }
}
