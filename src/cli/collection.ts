import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LemurError } from '../errors.js';
import { type BeirDocument, type BeirQuery, parseBeirDocuments, parseBeirQueries, parseQrels, type Qrels } from '../formats/beir.js';
import { fileBytes } from '../formats/node-beir.js';
import { fileError } from '../formats/node-file-error.js';
import { readFloats, readIntegers, readNpyFileHeader } from '../formats/node-npy.js';
import { showJson } from '../formats/show-json.js';
import { Lemur } from '../lemur/lemur.js';
import type { LearnOptions } from '../lemur/options.js';
import { checkInfo } from './check-collection.js';
import type { ModelReference } from './model.js';
import type { StepTime } from './progress.js';

export const COLLECTION = 'collection.json';
/** What a run in progress has finished; a finished one has `collection.json` instead. */
export const RUN = 'run.json';
/** Files of a collection, those of a run in progress included. */
export const DATA_FILES: readonly string[] = [
  ...['documents.jsonl', 'queries.jsonl', 'qrels.tsv', 'projection.npy'],
  ...['tokens.npy', 'counts.npy', 'pooled.npy', 'query-tokens.npy', 'query-counts.npy', 'query-pooled.npy'],
  ...['sample-tokens.npy', 'sample-counts.npy', 'sample-pooled.npy'],
];
/** Trained and random features. */
export const MODEL_FOLDERS = ['lemur', 'random'] as const;

const FORMAT = 'lemur-collection';
const VERSION = 1;

/** What a collection is made of; another plan needs another folder. */
export interface Plan {
  /** What people call it: a path, or the name of a data set. */
  data: string;
  documents: number;
  /** The encoder; collections of ready-made vectors have neither it nor `maxTokens`. */
  model?: ModelReference | undefined;
  maxTokens?: number | undefined;
  /** Dimensions of the token vectors that were asked for. */
  dim?: number | undefined;
  /** SHA-256 of the texts or vectors, which are the same wherever they lie. */
  digest?: string | undefined;
  /** What was asked for otherwise than the library's defaults. */
  learn?: LearnOptions | undefined;
  /** SHA-256 of the vectors to learn from, where they are not the documents'. */
  learnDigest?: string | undefined;
}

/** `collection.json`, written last. */
export interface CollectionInfo {
  format: typeof FORMAT;
  version: typeof VERSION;
  plan: Plan;
  /** null where the vectors came ready-made. */
  encoder: { id: string; dim: number; hidden: number } | null;
  counts: { documents: number; tokens: number; queries: number; queryTokens: number };
  stages: Record<string, StepTime>;
}

/** Token vectors in shared memory. */
export interface StoredTokens {
  vectors: Float32Array;
  counts: Int32Array;
  dim: number;
}

/** A folder that `lemur fit` or the demo filled. */
export interface Collection {
  folder: string;
  info: CollectionInfo;
  documents: readonly BeirDocument[];
  tokens: StoredTokens;
}

/** Queries as token vectors, and what is judged about them, which may be nothing. */
export interface StoredQueries {
  queries: readonly BeirQuery[];
  qrels: Qrels;
  tokens: StoredTokens;
  /** Queries x hidden; undefined where the vectors came ready-made. */
  pooled: Float32Array | undefined;
}

/** A projection of the encoder's states. */
export interface StoredProjection {
  /** Hidden x dim. */
  matrix: Float32Array;
  hidden: number;
  dim: number;
}

export function collectionInfo(parts: Omit<CollectionInfo, 'format' | 'version'>): CollectionInfo {
  return { format: FORMAT, version: VERSION, ...parts };
}

/** Reads texts and token vectors. Raises 'not-found', 'bad-file' and 'unsupported', each naming the file at fault. */
export async function openCollection(folder: string): Promise<Collection> {
  const info = await readInfo(folder);
  const path = join(folder, 'documents.jsonl');
  const documents: BeirDocument[] = [];
  for await (const document of parseBeirDocuments(fileBytes(path), path)) documents.push(document);
  checkCount(path, documents.length, info.counts.documents);
  return { folder, info, documents, tokens: await readTokens(folder, '', documents.length) };
}

/** The queries that came with the texts; undefined where none did. */
export async function openQueries({ folder, info }: Collection): Promise<StoredQueries | undefined> {
  if (info.counts.queries === 0) return undefined;
  const path = join(folder, 'queries.jsonl');
  const queries = await parseBeirQueries(fileBytes(path), path);
  checkCount(path, queries.length, info.counts.queries);
  const qrelsPath = join(folder, 'qrels.tsv');
  return {
    queries,
    qrels: await parseQrels(fileBytes(qrelsPath), qrelsPath),
    tokens: await readTokens(folder, 'query-', queries.length),
    pooled: info.encoder ? await readFloats(join(folder, 'query-pooled.npy'), [queries.length, info.encoder.hidden]) : undefined,
  };
}

/** Documents x hidden; undefined where the vectors came ready-made. */
export async function openPooled({ folder, info, documents }: Collection): Promise<Float32Array | undefined> {
  return info.encoder ? readFloats(join(folder, 'pooled.npy'), [documents.length, info.encoder.hidden]) : undefined;
}

export async function openProjection(folder: string): Promise<StoredProjection> {
  const path = join(folder, 'projection.npy');
  const matrix = await readFloats(path, [-1, -1]);
  const [hidden, dim] = (await readNpyFileHeader(path)).shape;
  return { matrix, hidden, dim };
}

/** Trained features, or the random ones that they are compared with. */
export async function openLemur(
  { folder, documents, tokens }: Pick<Collection, 'folder' | 'documents' | 'tokens'>,
  which: (typeof MODEL_FOLDERS)[number],
  threads: number | undefined,
): Promise<Lemur> {
  const path = join(folder, which);
  const lemur = await Lemur.load(path, { threads });
  if (lemur.documents === documents.length && lemur.dim === tokens.dim) return lemur;
  throw new LemurError(
    'bad-file',
    `${path}: for ${lemur.documents} documents of dimension ${lemur.dim}, expected ${documents.length} of ${tokens.dim}`,
    { where: path },
  );
}

/** `tokens.npy` and `counts.npy`, or those of another prefix, checked against each other. */
export async function readTokens(folder: string, prefix: string, texts: number): Promise<StoredTokens> {
  const path = join(folder, `${prefix}tokens.npy`);
  const countsPath = join(folder, `${prefix}counts.npy`);
  const counts = await readIntegers(countsPath, [texts]);
  const wrong = counts.findIndex((count) => count < 1);
  if (wrong >= 0) {
    throw new LemurError('bad-file', `${countsPath}: text ${wrong} of ${counts[wrong]} tokens, expected at least 1`, { where: countsPath });
  }
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const vectors = await readFloats(path, [rows, -1]);
  return { vectors, counts, dim: vectors.length / rows };
}

/** `collection.json`. Raises 'not-found' with what to do, 'bad-file' and 'unsupported'. */
export async function readInfo(folder: string): Promise<CollectionInfo> {
  const path = join(folder, COLLECTION);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const advice = existsSync(join(folder, RUN))
      ? 'the run that fills this folder has not finished; the same command goes on with it'
      : 'expected a folder that `lemur fit` or `lemur demo` has filled';
    throw fileError(path, cause, `; ${advice}`);
  });
  let info: CollectionInfo;
  try {
    info = JSON.parse(text) as CollectionInfo;
  } catch (cause) {
    throw new LemurError('bad-file', `${path}: not JSON, the file is damaged or truncated`, { where: path }, { cause });
  }
  if (info?.format !== FORMAT) throw new LemurError('bad-file', `${path}: not the description of a collection`, { where: path });
  if (info.version !== VERSION) {
    throw new LemurError('unsupported', `${path}: format version ${showJson(info.version)}, this version of the package reads ${VERSION}`, {
      where: path,
    });
  }
  checkInfo(info, path);
  return info;
}

function checkCount(path: string, got: number, expected: number): void {
  if (got !== expected)
    throw new LemurError('bad-file', `${path}: ${got} lines, expected ${expected}: the file is truncated or foreign`, { where: path });
}
