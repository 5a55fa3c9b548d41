import type { Transaction } from '../files/transaction.js';
import type { KnownRoot } from './known-root.js';

/** Another root has come since the plan was made, whose ids may be those of its own. */
export class PlanOutdated extends Error {}

/**
 * The number of a root in the manifest, where it is put by a commit if it is not there, or gets its
 * new name if it has moved. Rejects with `PlanOutdated`.
 */
export async function registerRoot(
  transaction: Transaction,
  { entry, number: planned, before }: KnownRoot,
): Promise<number> {
  const { roots = [] } = transaction.snapshot.manifest;
  const number = roots.findLastIndex(
    ({ root, prefix }) => root === entry.root && prefix === entry.prefix,
  );
  if (number >= 0) return number;
  const old = before === undefined ? undefined : roots[planned];
  const isAsPlanned =
    before === undefined
      ? roots.length <= planned
      : old?.root === before && old.prefix === entry.prefix;
  if (!isAsPlanned) throw new PlanOutdated(`${entry.root}: there are other roots by now`);
  const now = roots.slice();
  now[before === undefined ? roots.length : planned] = entry;
  await transaction.commit((manifest) => ({ ...manifest, roots: now }));
  return before === undefined ? roots.length : planned;
}
