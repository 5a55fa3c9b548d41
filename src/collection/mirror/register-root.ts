import type { Transaction } from '../files/transaction.js';
import type { KnownRoot } from './known-root.js';

/** Another root has come since the plan was made, whose ids may be those of its own. */
export class PlanOutdated extends Error {}

/**
 * The number of a root in the manifest, where it is put if it is not there. Rejects with
 * `PlanOutdated`.
 */
export async function registerRoot(
  transaction: Transaction,
  { entry, number: planned }: KnownRoot,
): Promise<number> {
  const { roots = [] } = transaction.snapshot.manifest;
  const number = roots.findLastIndex(
    ({ root, prefix }) => root === entry.root && prefix === entry.prefix,
  );
  if (number >= 0) return number;
  if (roots.length > planned) throw new PlanOutdated(`${entry.root}: there are other roots by now`);
  await transaction.commit((manifest) => ({ ...manifest, roots: [...roots, entry] }));
  return roots.length;
}
