import { encodeTexts } from '../../encoder/encode-texts.js';
import type { Encoder } from '../../encoder/encoder.js';
import { invalidArgument } from '../../errors.js';
import { sliceTexts } from '../../tokens/slice-texts.js';
import type { TokenMatrix } from '../../tokens/token-matrix.js';
import { type TokenInput, type TokenSets, tokenSetsOfDim } from '../../tokens/token-sets.js';
import type { Query } from '../options/options.js';

/** Queries, and where they came as texts these and the spans of their tokens. */
export interface QuerySets extends TokenSets {
  readonly text?: readonly string[] | undefined;
  readonly spans?: Int32Array | undefined;
}

/** One of them. */
export function oneQuery(queries: QuerySets, q: number): QuerySets {
  const { text } = queries;
  return { ...sliceTexts(queries, q, q + 1), ...(text && { text: [text[q]] }) };
}

/**
 * Queries as token vectors of that dimension: texts through the encoder, vectors through the gate.
 * Raises 'invalid-argument' for texts without an encoder, empty ones, and texts among vectors.
 */
export async function readQueries(
  queries: readonly Query[] | TokenInput,
  dim: number,
  encoder: Encoder | undefined,
  signal: AbortSignal | undefined,
): Promise<QuerySets> {
  if (!Array.isArray(queries) || !queries.some((query) => typeof query === 'string'))
    return tokenSetsOfDim(queries as TokenInput | TokenMatrix[], dim, 'queries', signal);
  const mixed = queries.findIndex((query) => typeof query !== 'string');
  if (mixed >= 0)
    throw invalidArgument(
      `queries[${mixed}]`,
      'token vectors among texts, expected all of one kind',
    );
  if (!encoder)
    throw invalidArgument(
      'query',
      'a text, and this index has no encoder: open it with { encoder }, or give token vectors',
    );
  // the caller may go on with its array
  const text = queries.slice() as string[];
  const empty = text.findIndex((query) => query.trim() === '');
  if (empty >= 0)
    throw invalidArgument(text.length === 1 ? 'query' : `queries[${empty}]`, 'the text is empty');
  const sets = await encodeTexts(encoder, 'query', text, { dim, signal });
  return { ...sets, text };
}
