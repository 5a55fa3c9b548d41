import { encodeTexts } from '../../encoder/encode-texts.js';
import type { Encoder } from '../../encoder/encoder.js';
import { invalidArgument } from '../../errors.js';
import { sliceTexts } from '../../tokens/slice-texts.js';
import type { TokenMatrix } from '../../tokens/token-matrix.js';
import {
  rowOffsets,
  type TokenInput,
  type TokenSets,
  tokenSetsOfDim,
} from '../../tokens/token-sets.js';
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
  const mixed = 'token vectors among texts, expected all of one kind';
  checkTexts(queries, mixed);
  if (!encoder)
    throw invalidArgument(
      'query',
      'a text, and this index has no encoder: open it with { encoder }, or give token vectors',
    );
  const text = queryTexts(queries, mixed);
  const sets = await encodeTexts(encoder, 'query', text, { dim, signal });
  return { ...sets, text };
}

/**
 * Queries that are all texts, in an array of their own: the caller may go on with its. Raises
 * 'invalid-argument' for empty ones, and with `problem` for what is no text.
 */
export function queryTexts(queries: readonly Query[] | TokenInput, problem: string): string[] {
  const given: readonly unknown[] = Array.isArray(queries) ? queries.slice() : [queries];
  checkTexts(given, problem);
  const text = given as string[];
  const empty = text.findIndex((query) => query.trim() === '');
  if (empty >= 0)
    throw invalidArgument(text.length === 1 ? 'query' : `queries[${empty}]`, 'the text is empty');
  return text;
}

function checkTexts(queries: readonly unknown[], problem: string): void {
  const other = queries.findIndex((query) => typeof query !== 'string');
  if (other >= 0)
    throw invalidArgument(queries.length === 1 ? 'query' : `queries[${other}]`, problem);
}

/** Queries that are texts alone, without a token vector. */
export function textQueries(text: readonly string[], dim: number): QuerySets {
  const counts = new Int32Array(text.length);
  return { vectors: new Float32Array(0), counts, offsets: rowOffsets(counts), dim, text };
}
