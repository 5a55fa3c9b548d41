import { whatLiesAt } from '../bytes/node-path-content.js';
import type { Index } from '../collection/index.js';
import { encodeTexts } from '../encoder/encode-texts.js';
import { invalidArgument } from '../errors.js';
import {
  parseBeirQueries,
  parseQrels,
  type Qrels,
  type UnreadFields,
} from '../formats/texts/beir.js';
import { fileBytes, readBeir } from '../formats/texts/node-beir.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { checkDim } from './check-source.js';
import { type Context, interruptible } from './context.js';
import { hasIndexEncoder } from './index-encoder.js';
import { type OpenedIndex, readManifest } from './open-index.js';
import { hasTexts, hasVectors, pathKind } from './path-kind.js';
import { openVectors, STDIN } from './source.js';
import { counted, grouped } from './text-layout.js';
import { noteUnread } from './unread-fields.js';

/** Queries, and what is judged about them, which may be nothing. */
export interface AskedQueries {
  ids: readonly string[];
  /** undefined where they came as vectors. */
  texts: readonly string[] | undefined;
  /** undefined where they are asked as texts. */
  tokens: TokenSets | undefined;
  qrels: Qrels;
}

/** The same as token vectors. */
export interface Queries extends AskedQueries {
  tokens: TokenSets;
}

/** The same as texts. */
export interface TextQueries extends AskedQueries {
  texts: readonly string[];
}

/** What of the queries is asked for. */
interface QueryOptions {
  qrels?: string | undefined;
  split?: string | undefined;
  keepZeros?: boolean | undefined;
}

/** Documents that are looked up at once. */
const LOOKED_UP = 256;

/**
 * Whether the path holds texts for the index, for which its encoder is needed. A pipe is taken for
 * what the index was made of, unless `anyway` says that it must be texts.
 */
export async function holdsTexts(path: string, folder: string, anyway = false): Promise<boolean> {
  if (path === STDIN) return false;
  if ((await whatLiesAt(path)) === 'pipe')
    return anyway || hasIndexEncoder(folder, await readManifest(folder));
  const kind = await pathKind(path);
  return hasTexts(kind) && !hasVectors(kind);
}

/**
 * Queries for an index: JSON lines, a BEIR folder (with its judgements) or token vectors. Every
 * error names the file.
 */
export async function openQueries(
  path: string,
  { index, encoder }: OpenedIndex,
  options: QueryOptions,
  context: Context,
): Promise<Queries> {
  if (!encoder) {
    const { keepZeros } = options;
    const qrels = await openQrels(options, context);
    const { tokens, ids } = await openVectors(path, { ...context, single: true, keepZeros });
    checkDim(tokens.dim, index.dim, path);
    return { ids, texts: undefined, tokens, qrels: qrels ?? new Map() };
  }
  const asked = await openQueryTexts(path, options, context);
  const { ids, texts } = asked;
  const tokens = await encodeTexts(encoder, 'query', texts, {
    dim: index.dim,
    nameOf: (text) => `query ${JSON.stringify(ids[text])}`,
    signal: context.signal,
  });
  return { ...asked, tokens };
}

function openQrels({ qrels }: QueryOptions, { signal }: Context): Promise<Qrels> | undefined {
  if (qrels === undefined) return undefined;
  return interruptible(signal, parseQrels(fileBytes(qrels), qrels));
}

/** Queries as they are written: JSON lines, or a BEIR folder. Every error names the file. */
export async function openQueryTexts(
  path: string,
  options: QueryOptions,
  context: Context,
): Promise<TextQueries> {
  const { split } = options;
  const judged = await openQrels(options, context);
  const beir =
    (await whatLiesAt(path)) !== 'pipe' && (await pathKind(path)) === 'BEIR folder'
      ? await readBeir(path, { split })
      : undefined;
  const unread: UnreadFields = new Map();
  const queries = beir
    ? beir.queries
    : await interruptible(context.signal, parseBeirQueries(fileBytes(path), path, unread));
  noteUnread(unread, path, '_id (or id) and text', context.reporter);
  if (queries.length === 0) throw invalidArgument(path, 'expected at least one query, got none');
  const empty = queries.find(({ text }) => text.trim() === '');
  if (empty) throw invalidArgument(path, `query "${empty.id}" has no text`);
  return {
    ids: queries.map(({ id }) => id),
    texts: queries.map(({ text }) => text),
    tokens: undefined,
    qrels: judged ?? beir?.qrels ?? new Map(),
  };
}

/**
 * Counts of what is judged but not there: queries that were not asked, and documents that are not
 * in the index.
 */
export interface Missing {
  queries: number;
  documents: number;
}

/**
 * Counts them, and says so once: what cannot be found makes nDCG smaller, and queries that are not
 * there are not measured.
 */
export async function noteMissing(
  { ids, qrels }: AskedQueries,
  index: Index,
  path: string,
  { reporter, signal }: Context,
): Promise<Missing> {
  const asked = new Set(ids);
  const lost = [...qrels.keys()].filter((id) => !asked.has(id));
  const judged = new Set<string>();
  for (const [id, grades] of qrels)
    if (asked.has(id)) for (const document of grades.keys()) judged.add(document);
  const absent: string[] = [];
  const all = [...judged];
  for (let from = 0; from < all.length; from += LOOKED_UP) {
    signal.throwIfAborted();
    const some = all.slice(from, from + LOOKED_UP);
    const found = await index.get(some);
    absent.push(...some.filter((_, i) => found[i] === undefined));
  }
  const listed = (missing: readonly string[]): string =>
    `${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}`;
  if (absent.length > 0)
    reporter.note(
      `${path}: ${counted(absent.length, 'judged document')} of ${grouped(all.length)} ` +
        `not in the index: ${listed(absent)}`,
    );
  if (lost.length > 0)
    reporter.note(
      `${path}: ${counted(lost.length, 'judged query', 'judged queries')} not among ` +
        `the queries: ${listed(lost)}`,
    );
  return { queries: lost.length, documents: absent.length };
}
