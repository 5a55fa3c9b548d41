import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { LemurError } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { type BeirDocument, type BeirQuery, parseBeirDocuments, parseBeirQueries, parseQrels, type Qrels } from './beir.js';
import { fileError, isAbsent } from './node-file-error.js';

/** Options of `readBeir`. */
export interface BeirOptions {
  /** Which judgements: `qrels/<split>.tsv`. Default: 'test', for which `qrels.tsv` in the folder itself serves as well. */
  split?: string | undefined;
  /** Which queries: those that the split judges (as BEIR's own loader does) or all of the file. Default: 'judged'. */
  queries?: 'judged' | 'all' | undefined;
}

const BEIR_OPTIONS: OptionNames<BeirOptions> = { split: true, queries: true };

/** A BEIR folder: documents streamed, queries and judgements in memory. */
export interface BeirDataset {
  /** Read from the file anew by every loop; errors in the file surface there. */
  readonly documents: AsyncIterable<BeirDocument>;
  /** In the order of the file. */
  readonly queries: readonly BeirQuery[];
  /** All judgements of the split, also those whose query or document is missing. */
  readonly qrels: Qrels;
  /** Ids that are judged but missing, as happens in subsets of a data set. */
  readonly unknown: {
    /** Queries. */
    readonly queries: number;
    /** Documents, each counted once; undefined until a loop over `documents` has come to its end. */
    readonly documents: number | undefined;
  };
}

/**
 * Opens a folder as BEIR lays it out: `corpus.jsonl`, `queries.jsonl`, `qrels/<split>.tsv`, each of them possibly gzipped (with or without `.gz` behind its name).
 * Raises `not-found` naming every path that was tried, `bad-file` and `invalid-argument` (ids that occur twice) with file and line.
 */
export async function readBeir(folder: string, options: BeirOptions = {}): Promise<BeirDataset> {
  checkOptions(options, BEIR_OPTIONS, 'readBeir');
  const split = options.split ?? 'test';
  if (!/^[\w-]+$/.test(split)) {
    throw new LemurError('invalid-argument', `readBeir: split ${JSON.stringify(split)}, expected a name such as 'test' or 'dev'`, {
      where: 'split',
    });
  }
  await checkFolder(folder);
  const corpusFile = await find(folder, ['corpus.jsonl']);
  const queriesFile = await find(folder, ['queries.jsonl']);
  const qrelsFile = await find(folder, split === 'test' ? ['qrels/test.tsv', 'qrels.tsv'] : [`qrels/${split}.tsv`]);

  const qrels = await parseQrels(fileBytes(qrelsFile), qrelsFile);
  const all = await parseBeirQueries(fileBytes(queriesFile), queriesFile);
  const judged = all.filter((query) => qrels.has(query.id));
  const unknown: { queries: number; documents: number | undefined } = { queries: qrels.size - judged.length, documents: undefined };

  async function* documents(): AsyncGenerator<BeirDocument, void, undefined> {
    const missing = new Set<string>();
    for (const judgements of qrels.values()) for (const id of judgements.keys()) missing.add(id);
    for await (const document of parseBeirDocuments(fileBytes(corpusFile), corpusFile)) {
      missing.delete(document.id);
      yield document;
    }
    unknown.documents = missing.size;
  }
  return { documents: { [Symbol.asyncIterator]: documents }, queries: options.queries === 'all' ? all : judged, qrels, unknown };
}

/**
 * A file's bytes as they are read, unpacked where they begin with gzip's magic bytes, whatever the name says.
 * Raises `not-found` where there is no such file, `bad-file` where the compressed data is damaged or cut off. Leaving the loop early closes the file.
 */
export async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (cause) {
    throw fileError(path, cause);
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    const stream = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 2 ** 18 });
    const packed = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    // the error also ends the loop below, so the callback has nothing to do
    yield* packed ? pipeline(stream, createGunzip({ chunkSize: 2 ** 18 }), () => {}) : stream;
  } catch (cause) {
    // zlib's own errors: Z_DATA_ERROR, Z_BUF_ERROR and the like
    if (!String((cause as { code?: unknown }).code).startsWith('Z_')) throw fileError(path, cause);
    throw new LemurError('bad-file', `${path}: damaged gzip data (${(cause as Error).message})`, { where: path }, { cause });
  } finally {
    await file.close();
  }
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw isAbsent(cause) ? notFound(folder, `${folder}: no such folder`, cause) : cause;
  });
  if (!found.isDirectory()) throw notFound(folder, `${folder}: not a folder`);
}

/** The first of the names that is a file, plain before `.gz`. */
async function find(folder: string, names: readonly string[]): Promise<string> {
  const tried = names.flatMap((name) => [name, `${name}.gz`]);
  for (const name of tried) {
    const path = join(folder, name);
    const found = await stat(path).catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
    if (found?.isFile()) return path;
  }
  throw notFound(folder, `${folder}: none of the files ${tried.join(', ')}`);
}

function notFound(where: string, message: string, cause?: unknown): LemurError {
  return new LemurError('not-found', message, { where }, cause === undefined ? undefined : { cause });
}
