import type { Storage } from '../../storage/storage.js';
import { filesOf, type IndexManifest, MANIFEST } from './manifest.js';
import { isOwnFile } from './own-files.js';

/**
 * Deletes a collection's files that its manifest does not refer to: of data files those of numbers
 * below `before`, by the names known to be `own` or by how they begin.
 */
export async function sweepFiles(
  storage: Storage,
  manifest: IndexManifest,
  before: number,
  own: ReadonlySet<string>,
): Promise<void> {
  const current = new Set([MANIFEST, ...filesOf(manifest).map(({ name }) => name)]);
  for (const name of await storage.list()) {
    if (current.has(name) || numberOf(name) >= before) continue;
    if (own.has(name) || (await isOwnFile(storage, name))) await storage.delete(name);
  }
}

/** Of a data file. */
function numberOf(name: string): number {
  return Number(name.split('.')[1]) || 0;
}
