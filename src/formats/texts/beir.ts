import { badFile, invalidArgument, type LemurError } from '../../errors.js';
import { findInexactNumber, inexactProblem } from '../json/inexact-numbers.js';
import {
  type ByteStream,
  type JsonLine,
  ONE_A_LINE,
  readJsonLines,
  readLines,
} from '../json/jsonl.js';
import { showJson } from '../json/show-json.js';

/** One document of a BEIR corpus; `title` is empty where there is none. */
export interface BeirDocument {
  /** The `_id` (or `id`) of its line, as a string. */
  readonly id: string;
  /** Its title; empty where there is none. */
  readonly title: string;
  /** Its text. */
  readonly text: string;
  /** Whatever the line has as `metadata`. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** One query. */
export interface BeirQuery {
  /** The `_id` (or `id`) of its line, as a string. */
  readonly id: string;
  /** The question. */
  readonly text: string;
  /** Whatever the line has as `metadata`. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Judgements: query id to document id to grade. A grade above 0 means relevant; ids need not exist
 * in the corpus.
 */
export type Qrels = Map<string, Map<string, number>>;

/** Names of fields that lines have and nothing reads, and in how many lines each is. */
export type UnreadFields = Map<string, number>;

/** Names beyond that many are not counted. */
const MOST_UNREAD = 100;
const DOCUMENT_FIELDS: readonly string[] = ['_id', 'id', 'title', 'text', 'metadata'];
const QUERY_FIELDS: readonly string[] = ['_id', 'id', 'text', 'metadata'];

/**
 * The documents of a `corpus.jsonl` as they arrive: `{"_id", "title", "text", "metadata"}`, title
 * and metadata optional, ids strings or whole numbers (named `id` where there is no `_id`). Ids are
 * remembered, to find duplicates; nothing else is. `where` names the file in errors. Fields of
 * other names are entered in `unread`. Raises `bad-file` for a line that is no document, or has a
 * number in its id or metadata that would be rounded (whole ones beyond 2^53) or is beyond float64,
 * `invalid-argument` for an id that occurs twice; all name the line.
 */
export async function* parseBeirDocuments(
  source: ByteStream,
  where = 'corpus.jsonl',
  unread?: UnreadFields,
): AsyncGenerator<BeirDocument, void, undefined> {
  const lineOf = new Map<string, number>();
  for await (const entry of readJsonLines(source, where)) {
    const { id, text, metadata, fields } = parseEntry(entry, lineOf, where);
    if (unread) countUnread(fields, DOCUMENT_FIELDS, unread);
    const title = fields.title ?? '';
    if (typeof title !== 'string')
      throw badLine(where, entry.line, `"title" of ${showJson(title)}, expected a string`);
    yield metadata === undefined ? { id, title, text } : { id, title, text, metadata };
  }
}

/**
 * The queries of a `queries.jsonl`: `{"_id", "text", "metadata"}`. Errors as `parseBeirDocuments`.
 */
export async function parseBeirQueries(
  source: ByteStream,
  where = 'queries.jsonl',
  unread?: UnreadFields,
): Promise<BeirQuery[]> {
  const lineOf = new Map<string, number>();
  const queries: BeirQuery[] = [];
  for await (const entry of readJsonLines(source, where)) {
    const { id, text, metadata, fields } = parseEntry(entry, lineOf, where);
    if (unread) countUnread(fields, QUERY_FIELDS, unread);
    queries.push(metadata === undefined ? { id, text } : { id, text, metadata });
  }
  return queries;
}

/**
 * Judgements of a TSV file: query id, document id, grade (an integer), with or without a header;
 * queries in the file's order. A pair that is judged twice with the same grade counts once. Raises
 * `bad-file` for a line that is no judgement, `invalid-argument` for a pair that is judged twice
 * with different grades; both name the line.
 */
export async function parseQrels(source: ByteStream, where = 'qrels.tsv'): Promise<Qrels> {
  const qrels: Qrels = new Map();
  let first = true;
  for await (const { line, text } of readLines(source, where)) {
    const columns = text.split('\t').map((column) => column.replace(/^ +| +$/g, ''));
    const header = first && columns.length === 3 && /^[a-z][a-z _-]*$/i.test(columns[2]);
    first = false;
    if (header) continue;
    if (columns.length !== 3) {
      throw badLine(
        where,
        line,
        `${columns.length} columns, expected 3 with tabs between them: query, document, grade`,
      );
    }
    const [query, document, grade] = columns;
    if (query === '' || document === '') throw badLine(where, line, 'an empty id');
    if (!/^-?\d{1,9}$/.test(grade))
      throw badLine(where, line, `grade ${showJson(grade)}, expected an integer`);
    let judgements = qrels.get(query);
    if (judgements === undefined) {
      judgements = new Map();
      qrels.set(query, judgements);
    }
    const before = judgements.get(document);
    if (before !== undefined && before !== Number(grade)) {
      throw twice(
        where,
        line,
        `document "${document}" is judged ${before} and ${grade} for query "${query}"`,
      );
    }
    judgements.set(document, Number(grade));
  }
  return qrels;
}

function countUnread(
  fields: Record<string, unknown>,
  known: readonly string[],
  unread: UnreadFields,
): void {
  for (const name of Object.keys(fields)) {
    // of two ids the first counts
    const read =
      known.includes(name) && !(name === 'id' && fields._id !== undefined && fields._id !== null);
    if (!read && (unread.has(name) || unread.size < MOST_UNREAD))
      unread.set(name, (unread.get(name) ?? 0) + 1);
  }
}

function parseEntry(
  { line, value, text: json }: JsonLine,
  lineOf: Map<string, number>,
  where: string,
): {
  id: string;
  text: string;
  metadata: Record<string, unknown> | undefined;
  fields: Record<string, unknown>;
} {
  if (!isRecord(value)) {
    const advice = Array.isArray(value) ? `; ${ONE_A_LINE}` : '';
    throw badLine(
      where,
      line,
      `${showJson(value)}, expected an object with "_id" and "text"${advice}`,
    );
  }
  const { text } = value;
  const inexact = findInexactNumber(
    json,
    (key) => key === '_id' || key === 'id' || key === 'metadata',
  );
  if (inexact) throw badLine(where, line, `${inexactProblem(inexact)}; write it as a string`);
  // BEIR's own name first; plain "id" is what other tools write
  const _id = value._id ?? value.id;
  if (!(typeof _id === 'string' && _id !== '') && !Number.isSafeInteger(_id)) {
    throw badLine(where, line, `"_id" of ${showJson(_id)}, expected a string`);
  }
  if (typeof text !== 'string')
    throw badLine(where, line, `"text" of ${showJson(text)}, expected a string`);
  const metadata = value.metadata ?? undefined; // null means none
  if (metadata !== undefined && !isRecord(metadata))
    throw badLine(where, line, `"metadata" of ${showJson(metadata)}, expected an object`);
  const id = String(_id);
  const before = lineOf.get(id);
  if (before !== undefined)
    throw twice(where, line, `id "${id}" was already used in line ${before}; ids must be unique`);
  lineOf.set(id, line);
  return { id, text, metadata, fields: value };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badLine(where: string, line: number, what: string): LemurError {
  return badFile(where, `line ${line}: ${what}`);
}

function twice(where: string, line: number, what: string): LemurError {
  return invalidArgument(where, `line ${line}: ${what}`);
}
