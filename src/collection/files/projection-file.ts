import type { Storage } from '../../storage/storage.js';
import { type EncodedFile, encodeCheckedFile, openCheckedFile } from './checked-file.js';
import type { EncoderEntry, FileEntry } from './manifest.js';

const PROJECTION = 'lemur-projection';

/** A file of an encoder's projection: hidden x dim, as the encoder was loaded with it. */
export function encodeProjection(
  name: string,
  { matrix, dim }: { matrix: Float32Array; dim: number },
): Promise<EncodedFile> {
  const shape = [matrix.length / dim, dim];
  return encodeCheckedFile(name, PROJECTION, { projection: { shape, data: matrix } });
}

/** The projection's values; undefined where there is none. Rejects with 'not-found', 'bad-file'. */
export async function readProjection(
  storage: Storage,
  { origin, projection, dim }: EncoderEntry,
): Promise<Float32Array | undefined> {
  if (!origin || !projection) return undefined;
  const file = await openCheckedFile(storage, projection, PROJECTION);
  try {
    return await file.array<Float32Array>('projection', 'F32', [origin.hidden, dim]);
  } finally {
    await file.stored.close();
  }
}

/**
 * Writes the projection of a collection that is about to be made, before there is anything that
 * refers to it; what an interrupted call has left stays until the next one sweeps.
 */
export async function writeFirstProjection(
  storage: Storage,
  projection: { matrix: Float32Array; dim: number },
): Promise<FileEntry> {
  const taken = new Set(await storage.list());
  let number = 0;
  const named = (): string => `projection.${number}.safetensors`;
  while (taken.has(named())) number++;
  const { entry, bytes } = await encodeProjection(named(), projection);
  await storage.write(entry.name, bytes, { create: true });
  await storage.sync();
  return entry;
}
