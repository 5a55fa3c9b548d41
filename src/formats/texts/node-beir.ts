import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { checkText } from '../../bytes/check-text.js';
import { openFile } from '../../bytes/node-file.js';
import { fileError } from '../../bytes/node-file-error.js';
import { absolutePath } from '../../bytes/node-path.js';
import { openPipe, whatLiesAt } from '../../bytes/node-path-content.js';
import { badFile, LemurError, notFound } from '../../errors.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { showValue } from '../../value-kind.js';
import {
  type BeirDocument,
  type BeirQuery,
  parseBeirDocuments,
  parseBeirQueries,
  parseQrels,
  type Qrels,
} from './beir.js';

/** Options of `readBeir`. */
export interface BeirOptions {
  /**
   * Which judgements: `qrels/<split>.tsv`. Default: 'test', for which `qrels.tsv` in the folder
   * itself serves as well.
   */
  split?: string | undefined;
  /**
   * Which queries: those that the split judges (as BEIR's own loader does) or all of the file.
   * Default: 'judged'.
   */
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
    /**
     * Documents, each counted once; undefined until a loop over `documents` has come to its end.
     */
    readonly documents: number | undefined;
  };
}

/**
 * Opens a folder as BEIR lays it out: `corpus.jsonl`, `queries.jsonl`, `qrels/<split>.tsv`, each of
 * them possibly gzipped (with or without `.gz` behind its name). Raises `not-found` naming every
 * path that was tried, `bad-file` and `invalid-argument` (ids that occur twice) with file and line.
 */
export async function readBeir(at: string | URL, options: BeirOptions = {}): Promise<BeirDataset> {
  checkOptions(options, BEIR_OPTIONS, 'readBeir');
  const isPath = typeof at === 'string' && !/^file:/i.test(at);
  const folder = isPath ? at : absolutePath(at, 'readBeir: folder');
  const { split = 'test', queries: which = 'judged' } = options;
  checkBeirOptions(split, which);
  await checkFolder(folder);
  const corpusFile = await find(folder, ['corpus.jsonl']);
  const queriesFile = await find(folder, ['queries.jsonl']);
  const judgements = split === 'test' ? ['qrels/test.tsv', 'qrels.tsv'] : [`qrels/${split}.tsv`];
  const qrelsFile = await find(folder, judgements);

  const qrels = await parseQrels(fileBytes(qrelsFile), qrelsFile);
  const all = await parseBeirQueries(fileBytes(queriesFile), queriesFile);
  const judged = all.filter((query) => qrels.has(query.id));
  const unknown: { queries: number; documents: number | undefined } = {
    queries: qrels.size - judged.length,
    documents: undefined,
  };
  async function* documents(): AsyncGenerator<BeirDocument, void, undefined> {
    const missing = new Set<string>();
    for (const judgements of qrels.values()) for (const id of judgements.keys()) missing.add(id);
    for await (const document of parseBeirDocuments(fileBytes(corpusFile), corpusFile)) {
      missing.delete(document.id);
      yield document;
    }
    unknown.documents = missing.size;
  }
  return {
    documents: { [Symbol.asyncIterator]: documents },
    queries: which === 'all' ? all : judged,
    qrels,
    unknown,
  };
}

/** Raises 'invalid-argument'. */
function checkBeirOptions(split: string, queries: unknown): void {
  checkText(split, 'readBeir: split');
  if (queries !== 'judged' && queries !== 'all') {
    const message = `readBeir: queries: expected 'judged' or 'all', got ${showValue(queries)}`;
    throw new LemurError('invalid-argument', message, { where: 'queries' });
  }
  if (!/^[\w-]+$/.test(split)) {
    const got = JSON.stringify(split);
    const message = `readBeir: split ${got}, expected a name such as 'test' or 'dev'`;
    throw new LemurError('invalid-argument', message, { where: 'split' });
  }
}

/** Raises 'not-found'. */
async function checkFolder(folder: string): Promise<void> {
  const found = await whatLiesAt(folder);
  if (found === 'folder') return;
  const problem = found === undefined ? 'no such folder' : 'not a folder';
  throw notFound(folder, problem);
}

/**
 * A file's bytes as they are read, or those of a pipe that is open already, unpacked where they
 * begin with gzip's magic bytes, whatever the name says. Raises as `openFile` does, and 'bad-file'
 * where the compressed data is damaged or cut off, or unpacks beyond 64 MiB to more than 500 times
 * its length. Leaving the loop early closes the file.
 */
export async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const pipe = (await whatLiesAt(path)) === 'pipe' ? openPipe(path) : undefined;
  const file = pipe ? undefined : await openFile(path);
  const stream = pipe ?? file!.createReadStream({ autoClose: false, highWaterMark: 2 ** 18 });
  try {
    yield* unpacked(stream, path);
  } catch (cause) {
    throw fileError(path, cause);
  } finally {
    stream.destroy();
    await file?.close();
  }
}

/**
 * Unpacked bytes to packed ones: texts come to 10, tables to 100, and what is packed to fill a
 * memory to 1,000.
 */
const MOST_UNPACKED = 500;
/** Unpacked bytes that are never too many. */
const UNSUSPICIOUS = 2 ** 26;

/**
 * Bytes as they come, unpacked where they begin with gzip's magic bytes. Raises 'bad-file', naming
 * `where`, for compressed data that is damaged or cut off, or beyond 64 MiB more than 500 times its
 * length.
 */
export async function* unpacked(
  source: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = source[Symbol.asyncIterator]();
  // a pipe may bring them one by one
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < 2) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  let read = 0;
  async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
    read += head.length;
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      read += next.value.length;
      yield next.value;
    }
  }
  const packed = head[0] === 0x1f && head[1] === 0x8b;
  // the error also ends the loop of who reads, so the callback has nothing to do
  if (!packed) {
    yield* all();
    return;
  }
  let given = 0;
  try {
    for await (const chunk of pipeline(
      all(),
      createGunzip({ chunkSize: 2 ** 18 }),
      () => {},
    ) as AsyncIterable<Uint8Array>) {
      given += chunk.length;
      if (given > UNSUSPICIOUS && given > MOST_UNPACKED * read) {
        const problem =
          `gzip data that unpacks to more than ${MOST_UNPACKED} times its ` +
          `length (${read} bytes to ${given} and more)`;
        throw badFile(where, `${problem}, which no text does`);
      }
      yield chunk;
    }
  } catch (cause) {
    // zlib's own errors: Z_DATA_ERROR, Z_BUF_ERROR and the like
    if (!String((cause as { code?: unknown }).code).startsWith('Z_')) throw cause;
    throw badFile(where, `damaged gzip data (${(cause as Error).message})`, cause);
  }
}

/** The first of the names that there is, plain before `.gz`. */
async function find(folder: string, names: readonly string[]): Promise<string> {
  const tried = names.flatMap((name) => [name, `${name}.gz`]);
  for (const name of tried) {
    const path = join(folder, name);
    if ((await whatLiesAt(path)) !== undefined) return path;
  }
  throw notFound(folder, `none of the files ${tried.join(', ')}`);
}
