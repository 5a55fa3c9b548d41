import type { Transaction } from '../files/transaction.js';
import type { KnownRoot } from './known-root.js';

/** The number of a root in the manifest, where it is put by a commit if it is not there. */
export async function registerRoot(
  transaction: Transaction,
  { entry }: KnownRoot,
): Promise<number> {
  const { roots = [] } = transaction.snapshot.manifest;
  const number = roots.findLastIndex(
    ({ root, prefix }) => root === entry.root && prefix === entry.prefix,
  );
  if (number >= 0) return number;
  await transaction.commit((manifest) => ({ ...manifest, roots: [...roots, entry] }));
  return roots.length;
}
