import type { Encoder } from '../../encoder/encoder.js';
import { type PassageOptions, passageRules } from '../../passages/passage-rules.js';
import type { Transaction } from '../files/transaction.js';

/** A collection that has never had a document and keeps no rules cuts by these from now on. */
export async function beginCutting(
  transaction: Transaction,
  passages: PassageOptions | undefined,
  encoder: Pick<Encoder, 'documentTokens'>,
): Promise<void> {
  const { manifest, documents } = transaction.snapshot;
  if (passages === undefined || manifest.passages !== undefined || documents > 0) return;
  const rules = passageRules(passages, encoder.documentTokens);
  await transaction.commit((old) => ({ ...old, passages: rules }));
}
