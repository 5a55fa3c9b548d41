import type { RunOptions } from '../../run-options.js';
import type { EncodedTokens } from '../../tokens/encode-tokens.js';
import { longestRows, relativeLengths } from '../../tokens/lengths.js';
import type { DocumentModel } from './document-model.js';

/**
 * Lengths of documents relative to that of the model's typical document; null: all are 1, or the
 * model is of a version that knew no lengths.
 */
export async function lengthsByModel(
  { length }: Pick<DocumentModel, 'length'>,
  tokens: EncodedTokens,
  { signal }: RunOptions,
): Promise<Float32Array | null> {
  return length === undefined ? null : relativeLengths(await longestRows(tokens, signal), length);
}
