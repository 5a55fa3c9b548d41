import { encodeTexts } from '../encoder/encode-texts.js';
import { LemurError } from '../errors.js';
import { parseBeirQueries, parseQrels, type Qrels } from '../formats/beir.js';
import { fileBytes, readBeir } from '../formats/node-beir.js';
import { whatLiesAt } from '../formats/node-path-content.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { type Context, interruptible } from './context.js';
import { readEncoderInfo } from './index-encoder.js';
import type { OpenedIndex } from './open-index.js';
import { hasTexts, hasVectors, pathKind } from './path-kind.js';
import { checkDim, openVectors, STDIN } from './source.js';

/** Queries as token vectors, and what is judged about them, which may be nothing. */
export interface Queries {
  ids: readonly string[];
  /** undefined where they came as vectors. */
  texts: readonly string[] | undefined;
  tokens: TokenSets;
  qrels: Qrels;
}

/** Whether the path holds texts for the index, for which its encoder is needed. A pipe is taken for what the index was made of. */
export async function holdsTexts(path: string, folder: string): Promise<boolean> {
  if (path === STDIN) return false;
  if ((await whatLiesAt(path)) === 'pipe') return (await readEncoderInfo(folder)) !== undefined;
  const kind = await pathKind(path);
  return hasTexts(kind) && !hasVectors(kind);
}

/** Queries for an index: JSON lines, a BEIR folder (with its judgements) or token vectors. Every error names the file. */
export async function openQueries(
  path: string,
  { index, encoder }: OpenedIndex,
  { qrels, split }: { qrels?: string | undefined; split?: string | undefined },
  context: Context,
): Promise<Queries> {
  const judged = qrels === undefined ? undefined : await interruptible(context.signal, parseQrels(fileBytes(qrels), qrels));
  if (!encoder) {
    const { tokens, ids } = await openVectors(path, { ...context, single: true });
    checkDim(tokens.dim, index.dim, path);
    return { ids, texts: undefined, tokens, qrels: judged ?? new Map() };
  }
  const beir =
    (await whatLiesAt(path)) !== 'pipe' && (await pathKind(path)) === 'BEIR folder' ? await readBeir(path, { split }) : undefined;
  const queries = beir ? beir.queries : await interruptible(context.signal, parseBeirQueries(fileBytes(path), path));
  if (queries.length === 0) throw wrong(path, 'expected at least one query, got none');
  const empty = queries.find(({ text }) => text.trim() === '');
  if (empty) throw wrong(path, `query "${empty.id}" has no text`);
  const texts = queries.map(({ text }) => text);
  const tokens = await encodeTexts(encoder, 'query', texts, {
    dim: index.dim,
    nameOf: (text) => `query ${JSON.stringify(queries[text].id)}`,
    signal: context.signal,
  });
  return { ids: queries.map(({ id }) => id), texts, tokens, qrels: judged ?? beir?.qrels ?? new Map() };
}

function wrong(path: string, problem: string): LemurError {
  return new LemurError('invalid-argument', `${path}: ${problem}`, { where: path });
}
