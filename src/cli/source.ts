import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { LemurError } from '../errors.js';
import { type BeirDocument, type BeirQuery, parseBeirDocuments, parseBeirQueries, type Qrels } from '../formats/beir.js';
import { fileKind } from '../formats/file-kind.js';
import { type ByteSource, readLines } from '../formats/jsonl.js';
import { fileBytes, readBeir } from '../formats/node-beir.js';
import { whatLiesAt } from '../formats/node-file.js';
import { readTextFolder } from '../formats/node-text-folder.js';
import { readTokenVectors } from '../formats/node-token-vectors.js';
import { parseTokenVectors } from '../formats/token-vectors.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { interruptible } from './context.js';
import { hasTexts, hasVectors, type PathKind, pathKind } from './path-kind.js';

/** Standard input, where a path is expected. */
export const STDIN = '-';

/** Documents to make a collection of, and what is asked and judged about them, which may be nothing. */
export interface Texts {
  documents: readonly BeirDocument[];
  queries: readonly BeirQuery[];
  qrels: Qrels;
}

/** What a path or standard input holds: texts alone, or token vectors with the texts (or just the ids) that they are of. */
export type Source = { kind: 'texts'; label: string; texts: Texts } | { kind: 'vectors'; label: string; texts: Texts; tokens: TokenSets };

export interface SourceOptions {
  openInput: () => Readable;
  signal: AbortSignal;
  /** Which judgements of a BEIR folder. */
  split?: string | undefined;
  /** Leaves out documents without text, which are refused otherwise. */
  skipEmpty?: boolean | undefined;
}

type VectorOptions = Pick<SourceOptions, 'openInput' | 'signal'> & { single?: boolean };

/** Opens texts or token vectors. Every error names the file, and the line or row, before anything is written. */
export function openSource(path: string, options: SourceOptions): Promise<Source> {
  return interruptible(options.signal, readSource(path, options));
}

async function readSource(path: string, options: SourceOptions): Promise<Source> {
  if (path === STDIN) return openStdin(options);
  const kind = await pathKind(path);
  if (hasVectors(kind)) {
    const tokens = await readTokenVectors(path, options);
    const folder = kind === 'collection' || kind === 'token vectors' ? path : dirname(path);
    return { kind: 'vectors', label: path, tokens, texts: documentsAlone(await documentsBeside(folder, tokens.counts.length)) };
  }
  if (hasTexts(kind)) return { kind: 'texts', label: path, texts: whole(await readTexts(path, kind, options), path, options) };
  throw new LemurError(
    'invalid-argument',
    `${path}: ${kind === 'unknown' ? 'nothing to read here' : `holds: ${kind}`}; expected texts (a folder of *.txt and *.md, JSON lines, a BEIR folder) or token vectors (a folder with tokens.npy and counts.npy, .npy, safetensors)`,
    { where: path },
  );
}

/** Token vectors with the ids beside them, where texts would make no sense. */
export function openVectors(path: string, options: VectorOptions): Promise<{ tokens: TokenSets; ids: string[] }> {
  return interruptible(options.signal, readVectors(path, options));
}

async function readVectors(path: string, options: VectorOptions): Promise<{ tokens: TokenSets; ids: string[] }> {
  if (path !== STDIN) {
    const kind = await pathKind(path);
    if (!hasVectors(kind)) {
      const problem = `${path}: holds: ${kind}; expected token vectors (a folder with tokens.npy and counts.npy, .npy, safetensors)`;
      throw new LemurError('invalid-argument', problem, { where: path });
    }
    const tokens = await readTokenVectors(path, options);
    const documents =
      kind === 'token vectors' || kind === 'collection'
        ? await documentsBeside(path, tokens.counts.length)
        : numbered(tokens.counts.length);
    return { tokens, ids: documents.map(({ id }) => id) };
  }
  const tokens = await parseTokenVectors(await allBytes(options.openInput()), 'standard input', options);
  return { tokens, ids: numbered(tokens.counts.length).map(({ id }) => id) };
}

/** Options that say how texts become vectors make no sense with vectors. */
export function refuseTextOptions(path: string, { model, maxTokens, dim }: { model?: string; maxTokens?: number; dim?: number }): void {
  const given = Object.entries({ '--model': model, '--max-tokens': maxTokens, '--dim': dim }).find(([, value]) => value !== undefined);
  if (given)
    throw new LemurError('invalid-argument', `${given[0]}: ${path} holds vectors already, nothing is encoded`, { where: given[0] });
}

/** Raises 'dimension-mismatch' naming the file. */
export function checkDim(got: number, expected: number, path: string): void {
  if (got === expected) return;
  throw new LemurError('dimension-mismatch', `${path}: token vectors have ${got} dimensions, expected ${expected}`, {
    where: path,
    expected,
    got,
  });
}

/** JSON lines or the bytes of token vectors, whichever comes. */
async function openStdin(options: SourceOptions): Promise<Source> {
  const label = 'standard input';
  const chunks = options.openInput()[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const read: Uint8Array[] = [];
  while (read.reduce((sum, chunk) => sum + chunk.length, 0) < 16) {
    const { done, value } = await chunks.next();
    if (done) break;
    read.push(value);
  }
  const head = Buffer.concat(read);
  const bytes = (async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
  if (fileKind(head) === 'text') {
    return { kind: 'texts', label, texts: whole(documentsAlone(await collect(parseBeirDocuments(bytes, label))), label, options) };
  }
  const tokens = await parseTokenVectors(await allBytes(bytes), label, options);
  return { kind: 'vectors', label, tokens, texts: documentsAlone(numbered(tokens.counts.length)) };
}

async function readTexts(path: string, kind: PathKind, { split = 'test' }: SourceOptions): Promise<Texts> {
  if (kind === 'folder of texts') return documentsAlone(await collect(readTextFolder(path)));
  if (kind === 'text file') return documentsAlone(await collect(parseBeirDocuments(fileBytes(path), path)));
  const file = async (...names: string[]): Promise<string | undefined> => {
    for (const name of names.flatMap((plain) => [plain, `${plain}.gz`])) {
      if ((await whatLiesAt(join(path, name))) !== undefined) return join(path, name);
    }
    return undefined;
  };
  const queries = await file('queries.jsonl');
  if (queries && (await file('qrels', 'qrels.tsv'))) {
    const beir = await readBeir(path, { split });
    return { documents: await collect(beir.documents), queries: beir.queries, qrels: beir.qrels };
  }
  const corpus = (await file('corpus.jsonl'))!;
  const documents = await collect(parseBeirDocuments(fileBytes(corpus), corpus));
  return { documents, queries: queries ? await parseBeirQueries(fileBytes(queries), queries) : [], qrels: new Map() };
}

/** Refuses or leaves out what has no text. */
function whole(texts: Texts, label: string, { skipEmpty }: SourceOptions): Texts {
  const isEmpty = ({ title, text }: BeirDocument): boolean => `${title}${text}`.trim() === '';
  const empty = texts.documents.find(isEmpty);
  if (empty && !skipEmpty) {
    throw new LemurError('empty-document', `${label}: document "${empty.id}" has no text; --skip-empty leaves such documents out`, {
      where: label,
      index: texts.documents.indexOf(empty),
    });
  }
  const documents = empty ? texts.documents.filter((document) => !isEmpty(document)) : texts.documents;
  if (documents.length > 0) return { ...texts, documents };
  throw new LemurError('empty-corpus', `${label}: expected at least one document, got none`, { where: label });
}

/** What `documents.jsonl` or `ids.txt` in the folder says about its vectors; else they are numbered. */
async function documentsBeside(folder: string, expected: number): Promise<BeirDocument[]> {
  const [lines, ids] = [join(folder, 'documents.jsonl'), join(folder, 'ids.txt')];
  const check = (path: string, documents: BeirDocument[]): BeirDocument[] => {
    if (documents.length === expected) return documents;
    throw new LemurError('bad-file', `${path}: ${documents.length} documents, expected ${expected}: as many as the vectors have`, {
      where: path,
    });
  };
  if ((await whatLiesAt(lines)) === 'file') return check(lines, await collect(parseBeirDocuments(fileBytes(lines), lines)));
  if ((await whatLiesAt(ids)) === 'file') return check(ids, await readIds(ids));
  return numbered(expected);
}

async function readIds(path: string): Promise<BeirDocument[]> {
  const lineOf = new Map<string, number>();
  for await (const { line, text } of readLines(fileBytes(path), path)) {
    const before = lineOf.get(text);
    if (before !== undefined) {
      throw new LemurError(
        'invalid-argument',
        `${path}: line ${line}: id "${text}" was already used in line ${before}; ids must be unique`,
        {
          where: path,
        },
      );
    }
    lineOf.set(text, line);
  }
  return [...lineOf.keys()].map(idAlone);
}

function numbered(count: number): BeirDocument[] {
  return Array.from({ length: count }, (_, i) => idAlone(String(i)));
}

function idAlone(id: string): BeirDocument {
  return { id, title: '', text: '' };
}

function documentsAlone(documents: readonly BeirDocument[]): Texts {
  return { documents, queries: [], qrels: new Map() };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function allBytes(source: ByteSource & AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await collect(source));
}
