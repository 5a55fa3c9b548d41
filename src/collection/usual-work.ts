import type { DeviceOptions } from '../device/default-device.js';
import type { Storage } from '../storage/storage.js';
import type { IndexManifest } from './files/manifest.js';
import { decodeManifest } from './files/manifest-file.js';
import { readManifest } from './files/present-state.js';

/** A query's tokens, and the candidates that are reranked for it, by default. */
const TOKENS = 32;
const CANDIDATES = 200;

/**
 * Multiplications and additions of a usual search, by which `device: 'auto'` chooses: the scan of
 * the prefixes and the candidates' MaxSim, or exact MaxSim where there is no model.
 */
export function usualWork({ dim, model, segments }: IndexManifest): number {
  const documents = segments.reduce((sum, segment) => sum + segment.documents, 0);
  const tokens = segments.reduce((sum, segment) => sum + segment.tokens, 0);
  const exact = 2 * TOKENS * dim * tokens;
  if (!model || documents === 0) return exact;
  const scan = 2 * model.prefix.dim * documents;
  return scan + exact * Math.min(1, CANDIDATES / documents);
}

/**
 * What `auto` chooses by for a collection that is opened: a reader's usual search. A writer may
 * fit, for which no work is too much.
 */
export async function workOf(
  storage: Storage,
  write: boolean,
  device: DeviceOptions['device'],
): Promise<number | undefined> {
  if (write || device !== 'auto') return undefined;
  return usualWork(decodeManifest(await readManifest(storage), storage.name));
}
