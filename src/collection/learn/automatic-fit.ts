import { isLemurError, type LemurError } from '../../errors.js';
import type { IndexManifest, Unfit } from '../files/manifest.js';
import type { Transaction } from '../files/transaction.js';
import { LEAST_FOR_FEATURES } from './refit-advice.js';

/** Documents from which on it is tried again in collections that could not store a fit. */
const putOff = new WeakMap<Transaction['storage'], number>();

/**
 * Whether the storage has just failed to keep a fit of about so many documents: learning takes too
 * long to be in vain at every add.
 */
export function isPutOff({ storage }: Pick<Transaction, 'storage'>, live: number): boolean {
  return live < (putOff.get(storage) ?? 0);
}

/**
 * Whether an add ends with a fit: there are documents enough, and twice as many as when these could
 * not be learned from.
 */
export function fitIsDue({ features, model, unfit }: IndexManifest, live: number): boolean {
  return (
    features === 'auto' &&
    !model &&
    live >= Math.max(LEAST_FOR_FEATURES, 2 * (unfit?.documents ?? 0))
  );
}

/**
 * The fit after an add, whose documents are safe already. Where nothing can be learned from what
 * these are, searches stay exact, which is noted, so that not every add tries again: returns why.
 * Where the storage fails, that of a full disk, an add tries again when the collection has grown by
 * an eighth.
 */
export async function fitAfterAdd(
  transaction: Transaction,
  learn: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await learn();
    return undefined;
  } catch (error) {
    const unfit = cannotLearn(error);
    if (!unfit && !isLemurError(error, 'storage-failed')) throw error;
    await transaction.discard();
    if (!unfit) {
      putOff.set(transaction.storage, 1.125 * transaction.snapshot.live);
      return undefined;
    }
    const noted: Unfit = { documents: transaction.snapshot.live, why: unfit.message };
    await transaction
      .commit((manifest) => ({ ...manifest, unfit: noted }))
      .catch((failure: unknown) => {
        if (!isLemurError(failure, 'storage-failed')) throw failure;
      });
    return unfit.message;
  }
}

/**
 * The caller has set no option of this fit, so it is the documents, or what the encoder makes of
 * them, that it refuses.
 */
const REFUSED: readonly string[] = [
  'invalid-argument',
  'not-finite',
  'dimension-mismatch',
  'empty-document',
  'empty-corpus',
];

function cannotLearn(error: unknown): LemurError | undefined {
  return isLemurError(error) && REFUSED.includes(error.code) ? error : undefined;
}
