import { ownFloats } from '../bytes/typed-array.js';
import { LemurError } from '../errors.js';
import { checkOptions } from '../known-options.js';
import { pacer } from '../pacer.js';
import { MOST_VALUE } from './check-values.js';
import { sharedFloats } from './gather.js';
import { type TokenInput, type TokenSets, tokenSetsOfDim } from './token-sets.js';

/**
 * Token vectors less a common mean, of unit length again: what spreads the vectors of a model that
 * have a large part in common. Rows that are zero, before or after, stay zero. The same mean
 * belongs to documents and queries. Rejects with 'not-finite', 'dimension-mismatch',
 * 'invalid-argument', or the signal's reason.
 */
export async function centerTokens(
  tokens: TokenInput,
  mean: Float32Array,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<TokenSets> {
  checkOptions(options, { signal: true }, 'centerTokens');
  const { signal } = options;
  const centre = ownFloats(mean, 'centerTokens: mean');
  if (!centre.every((value) => Math.abs(value) <= MOST_VALUE)) {
    const message =
      'centerTokens: expected a mean that is a Float32Array of finite values, ' +
      'as token vectors have them';
    throw new LemurError('invalid-argument', message, { where: 'mean' });
  }
  const sets = await tokenSetsOfDim(tokens, centre.length, 'tokens', signal);
  const { vectors, dim } = sets;
  const out = sharedFloats(vectors.length);
  const pace = pacer(signal);
  for (let at = 0, row = 0; at < vectors.length; at += dim, row++) {
    if (row % 8192 === 0) await pace();
    let given = 0;
    let square = 0;
    for (let c = 0; c < dim; c++) {
      given += vectors[at + c] * vectors[at + c];
      square += (vectors[at + c] - centre[c]) ** 2;
    }
    const scale = given > 0 && square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let c = 0; c < dim; c++) out[at + c] = (vectors[at + c] - centre[c]) * scale;
  }
  return { ...sets, vectors: out };
}
