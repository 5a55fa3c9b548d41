import { dirname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { fileKind } from '../bytes/file-kind.js';
import { readHead } from '../bytes/node-file.js';
import { openPipe, whatLiesAt } from '../bytes/node-path-content.js';
import { LemurError } from '../errors.js';
import { type ByteStream, readLines } from '../formats/json/jsonl.js';
import { showJson } from '../formats/json/show-json.js';
import { readTokenVectors } from '../formats/node-token-vectors.js';
import { type BeirDocument, parseBeirDocuments, type UnreadFields } from '../formats/texts/beir.js';
import { fileBytes, unpacked } from '../formats/texts/node-beir.js';
import {
  isTextFile,
  listTextFiles,
  readTextFile,
  readTextFolder,
} from '../formats/texts/node-text-folder.js';
import { NPZ, parseTokenVectors, type TokenVectorOptions } from '../formats/token-vectors.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { interruptible } from './context.js';
import { hasTexts, hasVectors, type PathKind, pathKind } from './path-kind.js';
import type { Reporter } from './progress.js';
import { counted } from './text-layout.js';
import { noteUnread } from './unread-fields.js';
import { withoutZeroRows } from './zero-rows.js';

/** Standard input, where a path is expected. */
export const STDIN = '-';

/**
 * What a path or standard input holds: texts as they are read, or token vectors with the texts (or
 * just the ids) that they are of.
 */
export type Source = TextSource | VectorSource;

export interface TextSource {
  kind: 'texts';
  label: string;
  /** Read once. Errors name the file and the line, and come where the reading is. */
  documents: AsyncIterable<BeirDocument>;
  /** How many there will be; undefined where only reading them tells. */
  total: number | undefined;
}

export interface VectorSource {
  kind: 'vectors';
  label: string;
  documents: readonly BeirDocument[];
  tokens: TokenSets;
}

export interface SourceOptions {
  openInput: () => Readable;
  signal: AbortSignal;
  /** Leaves out documents without text, which are refused otherwise. */
  skipEmpty?: boolean | undefined;
  reporter: Reporter;
  /** Takes token vectors that are zero throughout for tokens; they are left out otherwise. */
  keepZeros?: boolean | undefined;
}

type VectorOptions = Pick<SourceOptions, 'openInput' | 'signal' | 'reporter' | 'keepZeros'> & {
  single?: boolean;
};

/**
 * Opens texts, which are then read as they are needed, or token vectors, which are read. Every
 * error names the file, and the line or row.
 */
export function openSource(path: string, options: SourceOptions): Promise<Source> {
  return interruptible(options.signal, readSource(path, options));
}

async function readSource(path: string, options: SourceOptions): Promise<Source> {
  const stream = await streamAt(path, options);
  if (stream) return openStream(stream, options);
  const kind = await pathKind(path);
  if (hasVectors(kind)) {
    const tokens = await withoutZeroRows(
      await readTokenVectors(path, readingOf(options)),
      path,
      options,
    );
    const documents = await documentsBeside(
      kind === 'token vectors' ? path : dirname(path),
      tokens.counts.length,
      options,
    );
    return { kind: 'vectors', label: path, tokens, documents };
  }
  if (hasTexts(kind)) {
    const { documents, total } = await openTexts(path, kind, options);
    // notes that hold nothing yet are no reason to refuse all others; a line without text is a
    // mistake
    const empty = kind === 'folder of texts' ? { ...options, skipEmpty: true } : options;
    return { kind: 'texts', label: path, documents: whole(documents, path, empty), total };
  }
  if (kind === '.npz') throw new LemurError('invalid-argument', `${path}: ${NPZ}`, { where: path });
  throw new LemurError(
    'invalid-argument',
    `${path}: ${kind === 'unknown' ? 'nothing to read here' : `holds: ${kind}`}; expected texts (a folder of *.txt and *.md, JSON lines, a BEIR folder) or token vectors (a folder with tokens.npy and counts.npy, .npy, safetensors)`,
    { where: path },
  );
}

/** Token vectors with the ids beside them, where texts would make no sense. */
export function openVectors(
  path: string,
  options: VectorOptions,
): Promise<{ tokens: TokenSets; ids: string[] }> {
  return interruptible(options.signal, readVectors(path, options));
}

async function readVectors(
  path: string,
  options: VectorOptions,
): Promise<{ tokens: TokenSets; ids: string[] }> {
  const stream = await streamAt(path, options);
  if (!stream) {
    const kind = await pathKind(path);
    if (!hasVectors(kind)) {
      const problem = `${path}: ${kind === '.npz' ? NPZ : `holds: ${kind}`}; expected token vectors (a folder with tokens.npy and counts.npy, .npy, safetensors)`;
      throw new LemurError('invalid-argument', problem, { where: path });
    }
    const tokens = await withoutZeroRows(
      await readTokenVectors(path, readingOf(options)),
      path,
      options,
    );
    const documents =
      kind === 'token vectors'
        ? await documentsBeside(path, tokens.counts.length, options)
        : numbered(tokens.counts.length);
    return { tokens, ids: documents.map(({ id }) => id) };
  }
  const { label } = stream;
  const tokens = await withoutZeroRows(
    await parseTokenVectors(await allBytes(stream.chunks), label, readingOf(options)),
    label,
    options,
  );
  return { tokens, ids: numbered(tokens.counts.length).map(({ id }) => id) };
}

/** What the readers of vectors take of the options. */
function readingOf({ single, signal }: VectorOptions): TokenVectorOptions {
  return { single, signal };
}

/** Options that say how texts become vectors make no sense with vectors. */
export function refuseTextOptions(
  path: string,
  {
    model,
    maxTokens,
    dim,
  }: { model?: string | undefined; maxTokens?: number | undefined; dim?: number | undefined },
): void {
  const given = Object.entries({ '--model': model, '--max-tokens': maxTokens, '--dim': dim }).find(
    ([, value]) => value !== undefined,
  );
  if (given)
    throw new LemurError(
      'invalid-argument',
      `${given[0]}: ${path} holds vectors already, nothing is encoded`,
      { where: given[0] },
    );
}

/** Raises 'dimension-mismatch' naming the file. */
export function checkDim(got: number, expected: number, path: string): void {
  if (got === expected) return;
  throw new LemurError(
    'dimension-mismatch',
    `${path}: token vectors have ${got} dimensions, expected ${expected}`,
    {
      where: path,
      expected,
      got,
    },
  );
}

/**
 * What is read once as it comes: standard input, or a pipe that the shell has opened, as it does
 * for <(...); undefined for other paths.
 */
async function streamAt(
  path: string,
  { openInput, signal }: VectorOptions,
): Promise<{ label: string; chunks: Readable } | undefined> {
  if (path === STDIN) return { label: 'standard input', chunks: openInput() };
  return (await whatLiesAt(path)) === 'pipe'
    ? { label: path, chunks: addAbortSignal(signal, openPipe(path)) }
    : undefined;
}

/** JSON lines or the bytes of token vectors, whichever comes. */
async function openStream(
  stream: { label: string; chunks: Readable },
  options: SourceOptions,
): Promise<Source> {
  const { label } = stream;
  const chunks = unpacked(stream.chunks, label);
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
    return {
      kind: 'texts',
      label,
      documents: whole(jsonLines(bytes, label, options), label, options),
      total: undefined,
    };
  }
  const tokens = await withoutZeroRows(
    await parseTokenVectors(await allBytes(bytes), label, readingOf(options)),
    label,
    options,
  );
  return { kind: 'vectors', label, tokens, documents: numbered(tokens.counts.length) };
}

async function openTexts(
  path: string,
  kind: PathKind,
  options: SourceOptions,
): Promise<Pick<TextSource, 'documents' | 'total'>> {
  if (kind === 'folder of texts')
    return { documents: readTextFolder(path), total: (await listTextFiles(path)).length };
  if (kind === 'text file') {
    const begin = await beginningOf(path);
    if (isTextFile(path) && !/^\{\s*"/.test(begin))
      return { documents: readTextFile(path), total: 1 };
    if (/^[^{[]/.test(begin)) {
      const problem = `${path}: begins with ${showJson(begin.slice(0, 40))}, expected JSON lines; the name of a text ends with .txt or .md`;
      throw new LemurError('bad-file', problem, { where: path });
    }
  }
  const file = kind === 'text file' ? path : await corpusOf(path);
  return { documents: jsonLines(fileBytes(file), file, options), total: await countLines(file) };
}

/** Documents of JSON lines; at the end it is said what of them was not read. */
async function* jsonLines(
  bytes: ByteStream,
  label: string,
  { reporter }: Pick<SourceOptions, 'reporter'>,
): AsyncGenerator<BeirDocument, void, undefined> {
  const unread: UnreadFields = new Map();
  try {
    yield* parseBeirDocuments(bytes, label, unread);
  } finally {
    noteUnread(
      unread,
      label,
      '_id (or id), title, text and metadata, which takes any fields',
      reporter,
    );
  }
}

/**
 * The beginning of what a file has behind white space and a byte order mark; '' of a gzipped one.
 */
async function beginningOf(path: string): Promise<string> {
  const { head } = await readHead(path, 4096);
  return fileKind(head) === 'gzip' ? '' : new TextDecoder().decode(head).trimStart();
}

async function corpusOf(folder: string): Promise<string> {
  const plain = join(folder, 'corpus.jsonl');
  return (await whatLiesAt(plain)) === undefined ? `${plain}.gz` : plain;
}

/** Lines that are not empty. */
export async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const _ of readLines(fileBytes(path), path)) lines++;
  return lines;
}

/** Refuses or leaves out what has no text. */
async function* whole(
  documents: AsyncIterable<BeirDocument>,
  label: string,
  { skipEmpty, reporter }: SourceOptions,
): AsyncGenerator<BeirDocument, void, undefined> {
  let index = 0;
  let given = 0;
  const empty: string[] = [];
  for await (const document of documents) {
    if (`${document.title}${document.text}`.trim() !== '') {
      given++;
      yield document;
    } else if (skipEmpty) {
      empty.push(document.id);
    } else {
      const problem = `${label}: document "${document.id}" has no text; --skip-empty leaves such documents out`;
      throw new LemurError('empty-document', problem, { where: label, index });
    }
    index++;
  }
  if (empty.length > 0) {
    const listed = `${empty.slice(0, 3).join(', ')}${empty.length > 3 ? ', …' : ''}`;
    reporter.note(
      `${label}: left out ${counted(empty.length, 'document')} without any text: ${listed}`,
    );
  }
  if (given === 0)
    throw new LemurError('empty-corpus', `${label}: expected at least one document, got none`, {
      where: label,
    });
}

/**
 * What `documents.jsonl` or `ids.txt` in the folder says about its vectors; else they are numbered.
 */
async function documentsBeside(
  folder: string,
  expected: number,
  options: Pick<SourceOptions, 'reporter'>,
): Promise<BeirDocument[]> {
  const [lines, ids] = [join(folder, 'documents.jsonl'), join(folder, 'ids.txt')];
  const check = (path: string, documents: BeirDocument[]): BeirDocument[] => {
    if (documents.length === expected) return documents;
    throw new LemurError(
      'bad-file',
      `${path}: ${documents.length} documents, expected ${expected}: as many as the vectors have`,
      {
        where: path,
      },
    );
  };
  if ((await whatLiesAt(lines)) !== undefined)
    return check(lines, await collect(jsonLines(fileBytes(lines), lines, options)));
  if ((await whatLiesAt(ids)) !== undefined) return check(ids, await readIds(ids));
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

/** All of them. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function allBytes(source: ByteStream & AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await collect(source));
}
