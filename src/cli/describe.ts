import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileKind } from '../bytes/file-kind.js';
import { readHead, readWhole } from '../bytes/node-file.js';
import { fileError } from '../bytes/node-file-error.js';
import { listFolder } from '../bytes/node-path-content.js';
import { walkFiles } from '../bytes/node-walk.js';
import { Index } from '../collection/index.js';
import { badFile, unsupported } from '../errors.js';
import { readJsonLines, readLines } from '../formats/json/jsonl.js';
import { readNpyFileHeader } from '../formats/npy/node-npy.js';
import { readNpy } from '../formats/npy/npy.js';
import { parseBeirQueries, parseQrels } from '../formats/texts/beir.js';
import { fileBytes } from '../formats/texts/node-beir.js';
import { isTextFile } from '../formats/texts/node-text-folder.js';
import { readTorchFile, type TorchValue } from '../formats/torch/torch-file.js';
import { readManifest } from '../lemur/saved-manifest.js';
import { folderStorage } from '../storage/node-folder.js';
import { openStoredSafetensors } from '../storage/stored-safetensors.js';
import { describeEncoder } from './index-encoder.js';
import { readManifest as readIndexManifest } from './open-index.js';
import { MOST_FILES, type PathKind, pathKind } from './path-kind.js';
import { megabytes } from './text-layout.js';
import { countLines } from './text-source.js';

/** Bytes of a torch file that is read to be described. */
const MOST_OF_TORCH = 500_000_000;
/** Bytes of a JSON file that is read to be described. */
const MOST_OF_JSON = 100_000_000;

/** A path's content: `kind`, `path`, `bytes`, and what can be said about the kind. */
export interface Description {
  path: string;
  kind: PathKind;
  /** Of the file, or of all files in the folder and below. */
  bytes: number;
  [field: string]: unknown;
}

/**
 * Says what a file or folder holds. Nothing in it is executed; of large files the beginning is
 * read.
 */
export async function describePath(path: string): Promise<Description> {
  const kind = await pathKind(path);
  return { path, kind, ...(await sizeOf(path)), ...(await DESCRIBE[kind](path)) };
}

const DESCRIBE: Record<PathKind, (path: string) => Promise<Record<string, unknown>>> = {
  index: describeIndex,
  'saved Lemur': describeSaved,
  'index of the Python reference': async (path) => ({
    model: await describeTorch(join(path, 'mlp.pt')),
    weights: await describeTorch(join(path, 'w.pt')),
  }),
  'LEMUR artefact of txtai': describeTxtai,
  'token vectors': describeTokenFolder,
  'BEIR folder': describeBeir,
  encoder: async (path) => {
    const { model_type, hidden_size, num_hidden_layers, max_position_embeddings, vocab_size } =
      await readJson(join(path, 'config.json'));
    return { model_type, hidden_size, num_hidden_layers, max_position_embeddings, vocab_size };
  },
  'folder of texts': async (path) => {
    const first: string[] = [];
    let documents = 0;
    let looked = 0;
    for await (const name of walkFiles(path, { tolerant: true })) {
      if (isTextFile(name) && documents++ < 3) first.push(name);
      if (++looked === MOST_FILES) break;
    }
    return {
      documents:
        looked === MOST_FILES ? `${documents} of the first ${MOST_FILES} files` : documents,
      first,
    };
  },
  '.npy': async (path) => {
    const { dtype, shape } = await readNpyFileHeader(path);
    return { type: dtype, shape };
  },
  '.npz': async () => ({ content: 'an archive of .npy files, which are read when it is unpacked' }),
  safetensors: describeSafetensors,
  'torch file': async (path) => ({ content: await describeTorch(path) }),
  'text file': describeTextFile,
  unknown: async () => ({}),
};

async function describeIndex(path: string): Promise<Record<string, unknown>> {
  const index = await Index.open(path);
  try {
    const { bytes, documents: parts, sources, passages: rules, ...stats } = index.stats();
    const encodedBy = await describeEncoder(path, await readIndexManifest(path));
    // the words are those of `add` and `search`: documents are whole
    const cut = rules && { passages: parts, cutBy: rules };
    return { documents: sources, ...cut, ...stats, encodedBy: encodedBy ?? null };
  } finally {
    await index.close();
  }
}

async function describeSaved(path: string): Promise<Record<string, unknown>> {
  const { version, save, documents, mean, std, featureMap, prefix, options } = await readManifest(
    folderStorage(path),
  );
  const latentDim = featureMap.widths.at(-1);
  // 0: candidates are found by a scan of all weights
  const prefixDim = prefix?.dim ?? 0;
  return {
    version,
    save,
    documents,
    dim: featureMap.inputDim,
    latentDim,
    prefixDim,
    mean,
    std,
    featureMap,
    options,
  };
}

async function describeTxtai(path: string): Promise<Record<string, unknown>> {
  const config = await readJson(join(path, 'config.json'));
  const { tensors } = await openStoredSafetensors(folderStorage(path), 'model.safetensors');
  const shapes = Object.fromEntries(
    [...tensors].map(([name, { type, shape }]) => [name, { type, shape }]),
  );
  return { config, centre: tensors.has('lemur.center'), tensors: shapes };
}

async function describeTokenFolder(path: string): Promise<Record<string, unknown>> {
  const { dtype, shape } = await readNpyFileHeader(join(path, 'tokens.npy'));
  const countsPath = join(path, 'counts.npy');
  const counts = readNpy(await readWhole(countsPath), countsPath).data;
  let sum = 0;
  for (const count of counts) sum += count;
  const names = await listFolder(path);
  const ids = ['documents.jsonl', 'ids.txt'].find((name) => names.includes(name)) ?? null;
  return {
    type: dtype,
    shape,
    texts: counts.length,
    countsAddUp: shape.length === 2 && sum === shape[0],
    ids,
  };
}

async function describeBeir(path: string): Promise<Record<string, unknown>> {
  const names = await listFolder(path);
  const named = (name: string): string | undefined =>
    [name, `${name}.gz`].find((candidate) => names.includes(candidate));
  const corpus = join(path, named('corpus.jsonl')!);
  const queries = named('queries.jsonl');
  const qrels: Record<string, unknown> = {};
  const splits = names.includes('qrels')
    ? (await listFolder(join(path, 'qrels'))).map((name) => `qrels/${name}`)
    : [];
  for (const name of [...splits, ...names].filter((candidate) =>
    /(^|\/)[\w-]+\.tsv(\.gz)?$/.test(candidate),
  )) {
    const judged = await parseQrels(fileBytes(join(path, name)), join(path, name));
    qrels[name] = {
      queries: judged.size,
      judgements: [...judged.values()].reduce((sum, grades) => sum + grades.size, 0),
    };
  }
  const asked =
    queries && (await parseBeirQueries(fileBytes(join(path, queries)), join(path, queries)));
  return {
    documents: (await describeJsonLines(corpus)).lines,
    queries: asked ? asked.length : 0,
    qrels,
  };
}

async function describeTextFile(path: string): Promise<Record<string, unknown>> {
  const first = await firstLine(path);
  return first.startsWith('{') ? describeJsonLines(path) : { lines: await countLines(path) };
}

/** Their number, and the fields of the first. */
async function describeJsonLines(path: string): Promise<{ lines: number; fields: string[] }> {
  let lines = 0;
  let fields: string[] = [];
  for await (const { value } of readJsonLines(fileBytes(path), path)) {
    if (lines++ === 0 && typeof value === 'object' && value !== null) fields = Object.keys(value);
  }
  return { lines, fields };
}

async function firstLine(path: string): Promise<string> {
  for await (const { text } of readLines(fileBytes(path), path)) return text;
  return '';
}

/** Reads the header alone. */
async function describeSafetensors(path: string): Promise<Record<string, unknown>> {
  const { tensors, metadata } = await openStoredSafetensors(
    folderStorage(dirname(path)),
    basename(path),
  );
  const shapes = Object.fromEntries(
    [...tensors].map(([name, { type, shape }]) => [name, { type, shape }]),
  );
  return { tensors: shapes, metadata };
}

/** Such a file is read whole, its tensors once more as float32. */
async function describeTorch(path: string): Promise<unknown> {
  const { head, size } = await readHead(path, 4096);
  if (fileKind(head) !== 'zip') throw unsupported(path, 'not in the zip format of torch since 1.6');
  if (size > MOST_OF_TORCH)
    return (
      `not looked into: ${megabytes(size)}, more than the ${megabytes(MOST_OF_TORCH)} ` +
      'that are read to describe a torch file'
    );
  return shapesOf(await readTorchFile(await readWhole(path), path));
}

/** The value with shapes in place of tensors. */
function shapesOf(value: TorchValue): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), shapesOf(item)]));
  if (Array.isArray(value)) return value.map(shapesOf);
  if (typeof value === 'object' && value !== null)
    return 'shape' in value ? { shape: value.shape } : 'an object';
  return typeof value === 'bigint' ? String(value) : value;
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const bytes = await readWhole(path, MOST_OF_JSON);
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw badFile(path, 'not JSON, the file is damaged or truncated', cause);
  }
  throw badFile(path, 'expected an object');
}

async function sizeOf(path: string): Promise<{ bytes: number; files?: string }> {
  const found = await stat(path).catch((cause: unknown) => {
    throw fileError(path, cause);
  });
  if (!found.isDirectory()) return { bytes: found.size };
  let bytes = 0;
  let files = 0;
  for await (const name of walkFiles(path, { tolerant: true })) {
    if (files++ === MOST_FILES)
      return {
        bytes,
        files: `more than ${MOST_FILES}; the size is that of the first ${MOST_FILES}`,
      };
    // one that has gone meanwhile counts for nothing
    bytes += await stat(join(path, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return { bytes };
}
