import { join } from 'node:path';
import { fileKind } from '../bytes/file-kind.js';
import { readHead } from '../bytes/node-file.js';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { badFile, LemurError } from '../errors.js';
import { type ByteStream, readLines } from '../formats/json/jsonl.js';
import { showJson } from '../formats/json/show-json.js';
import { type BeirDocument, parseBeirDocuments, type UnreadFields } from '../formats/texts/beir.js';
import { fileBytes } from '../formats/texts/node-beir.js';
import {
  isTextFile,
  listTextFiles,
  readTextFile,
  readTextFolder,
} from '../formats/texts/node-text-folder.js';
import { isOneText, isPackedText, readOneText } from './one-file.js';
import type { PathKind } from './path-kind.js';
import type { Reporter } from './progress.js';
import { counted } from './text-layout.js';
import { noteUnread } from './unread-fields.js';

export interface TextSource {
  kind: 'texts';
  label: string;
  /** Read once. Errors name the file and the line, and come where the reading is. */
  documents: AsyncIterable<BeirDocument>;
  /** Whether each is a whole file. */
  areFiles: boolean;
  /** How many there will be; undefined where only reading them tells. */
  total: number | undefined;
}

export interface TextOptions {
  /** Leaves out documents without text, which are refused otherwise. */
  skipEmpty?: boolean | undefined;
  reporter: Reporter;
}

/** Texts of a file or folder of that kind, read as they are needed. */
export async function openTexts(
  path: string,
  kind: PathKind,
  options: TextOptions,
): Promise<TextSource> {
  const { documents, areFiles, total } = await textsAt(path, kind, options);
  // notes that hold nothing yet are no reason to refuse all others; a line without text is a
  // mistake
  const empty = kind === 'folder of texts' ? { ...options, skipEmpty: true } : options;
  return {
    ...{ kind: 'texts', label: path, areFiles, total },
    documents: withText(documents, path, empty),
  };
}

/** Texts of JSON lines that come from elsewhere than a file. */
export function streamTexts(bytes: ByteStream, label: string, options: TextOptions): TextSource {
  const documents = withText(readDocuments(bytes, label, options), label, options);
  return { kind: 'texts', label, documents, areFiles: false, total: undefined };
}

async function textsAt(
  path: string,
  kind: PathKind,
  options: TextOptions,
): Promise<Pick<TextSource, 'documents' | 'areFiles' | 'total'>> {
  if (kind === 'folder of texts')
    return {
      ...{ documents: readTextFolder(path), areFiles: true },
      total: (await listTextFiles(path)).length,
    };
  if (await isOneFile(path, kind)) {
    const documents = isTextFile(path) ? readTextFile(path) : readOneText(path);
    return { documents, areFiles: true, total: 1 };
  }
  if (kind === 'text file') {
    const begin = await beginningOf(path);
    if (/^[^{[]/.test(begin)) {
      const got = `begins with ${showJson(begin.slice(0, 40))}`;
      const expected = 'expected JSON lines; the name of a text ends with .txt, .md or the like';
      throw badFile(path, `${got}, ${expected}`);
    }
  }
  const file = kind === 'text file' ? path : await corpusOf(path);
  const documents = readDocuments(fileBytes(file), file, options);
  return { documents, areFiles: false, total: await countLines(file) };
}

/** Whether a path of that kind is one file as those of folders, and not lines of JSON. */
export async function isOneFile(path: string, kind: PathKind): Promise<boolean> {
  if (isPackedText(path)) return ['unknown', 'torch file', 'text file'].includes(kind);
  if (kind !== 'text file') return false;
  const begin = await beginningOf(path);
  if (/^\{\s*"/.test(begin)) return false;
  return isTextFile(path) || (isOneText(path) && begin !== '');
}

/** Documents of JSON lines; at the end it is said what of them was not read. */
export async function* readDocuments(
  bytes: ByteStream,
  label: string,
  { reporter }: Pick<TextOptions, 'reporter'>,
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

/** The documents that have text; others are refused or left out. */
async function* withText(
  documents: AsyncIterable<BeirDocument>,
  label: string,
  { skipEmpty, reporter }: TextOptions,
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
      const advice = '--skip-empty leaves such documents out';
      const problem = `${label}: document "${document.id}" has no text; ${advice}`;
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
