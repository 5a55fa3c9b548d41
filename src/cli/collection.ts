import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LemurError } from '../errors.js';
import { type BeirDocument, type BeirQuery, parseBeirDocuments, parseBeirQueries, parseQrels, type Qrels } from '../formats/beir.js';
import { fileBytes } from '../formats/node-beir.js';
import { fileError } from '../formats/node-file-error.js';
import { showJson } from '../formats/show-json.js';
import { Lemur } from '../lemur/lemur.js';
import { checkInfo } from './check-collection.js';
import { DIM, type ModelReference } from './model.js';
import { readFloats, readIntegers } from './npy-file.js';
import type { StepTime } from './progress.js';

export const COLLECTION = 'collection.json';
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
  data: string;
  documents: number;
  model: ModelReference;
  maxTokens: number;
}

/** `collection.json`, written last. */
export interface CollectionInfo {
  format: typeof FORMAT;
  version: typeof VERSION;
  plan: Plan;
  encoder: { id: string; dim: number; hidden: number };
  counts: { documents: number; tokens: number; queries: number; queryTokens: number };
  stages: Record<string, StepTime>;
}

/** Token vectors in shared memory. */
export interface StoredTokens {
  vectors: Float32Array;
  counts: Int32Array;
  dim: number;
}

/** A folder that the demo filled. */
export interface Collection {
  folder: string;
  info: CollectionInfo;
  documents: readonly BeirDocument[];
  tokens: StoredTokens;
}

/** Judged queries, encoded. */
export interface StoredQueries {
  queries: readonly BeirQuery[];
  qrels: Qrels;
  tokens: StoredTokens;
  /** Queries x hidden. */
  pooled: Float32Array;
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

export async function openQueries({ folder, info }: Collection): Promise<StoredQueries> {
  const path = join(folder, 'queries.jsonl');
  const queries = await parseBeirQueries(fileBytes(path), path);
  checkCount(path, queries.length, info.counts.queries);
  const qrelsPath = join(folder, 'qrels.tsv');
  return {
    queries,
    qrels: await parseQrels(fileBytes(qrelsPath), qrelsPath),
    tokens: await readTokens(folder, 'query-', queries.length),
    pooled: await readFloats(join(folder, 'query-pooled.npy'), [queries.length, info.encoder.hidden]),
  };
}

/** Documents x hidden. */
export function openPooled({ folder, info, documents }: Collection): Promise<Float32Array> {
  return readFloats(join(folder, 'pooled.npy'), [documents.length, info.encoder.hidden]);
}

/** Hidden x DIM. */
export function openProjection(folder: string): Promise<Float32Array> {
  return readFloats(join(folder, 'projection.npy'), [-1, DIM]);
}

export async function openLemur(
  { folder, documents }: Pick<Collection, 'folder' | 'documents'>,
  which: (typeof MODEL_FOLDERS)[number],
  threads: number | undefined,
): Promise<Lemur> {
  const path = join(folder, which);
  const lemur = await Lemur.load(path, { threads });
  if (lemur.documents === documents.length && lemur.dim === DIM) return lemur;
  throw new LemurError(
    'bad-file',
    `${path}: for ${lemur.documents} documents of dimension ${lemur.dim}, expected ${documents.length} of ${DIM}`,
    {
      where: path,
    },
  );
}

/** `tokens.npy` and `counts.npy`, or those of another prefix, checked against each other. */
export async function readTokens(folder: string, prefix: string, texts: number): Promise<StoredTokens> {
  const path = join(folder, `${prefix}counts.npy`);
  const counts = await readIntegers(path, [texts]);
  const wrong = counts.findIndex((count) => count < 1);
  if (wrong >= 0)
    throw new LemurError('bad-file', `${path}: text ${wrong} of ${counts[wrong]} tokens, expected at least 1`, { where: path });
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return { vectors: await readFloats(join(folder, `${prefix}tokens.npy`), [rows, DIM]), counts, dim: DIM };
}

async function readInfo(folder: string): Promise<CollectionInfo> {
  const path = join(folder, COLLECTION);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const advice = existsSync(join(folder, 'run.json'))
      ? 'the run that fills this folder has not finished; the same `lemur demo` command goes on with it'
      : 'expected a folder that `lemur demo` has filled';
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
