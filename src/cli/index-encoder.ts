import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Encoder } from '../encoder/node.js';
import { LemurError } from '../errors.js';
import { writeNpyFile } from '../formats/node-npy.js';
import { principalComponents } from '../linalg/principal-components.js';
import type { RunOptions } from '../run-options.js';
import { openProjection } from './collection.js';
import { checkModel, DIM, findModel, type ModelReference, openEncoder } from './model.js';

/** Beside an index: what its texts are encoded with. */
const ENCODER = 'encoder.json';

interface EncoderFile {
  model: ModelReference;
  maxTokens: number;
}

export interface IndexEncoder extends Encoder {
  maxTokens: number;
}

/** Whether the index in a folder was made from texts. */
export function hasEncoder(folder: string): boolean {
  return existsSync(join(folder, ENCODER));
}

/** The encoder that an index was made with; undefined where it was made from token vectors. Its projection lies in the folder, its weights elsewhere. */
export async function openIndexEncoder(
  folder: string,
  { model, threads }: { model?: string | undefined; threads?: number | undefined },
): Promise<IndexEncoder | undefined> {
  if (!hasEncoder(folder)) return undefined;
  const path = join(folder, ENCODER);
  let file: EncoderFile;
  try {
    file = JSON.parse(await readFile(path, 'utf8')) as EncoderFile;
  } catch (cause) {
    throw new LemurError('bad-file', `${path}: not JSON, the file is damaged`, { where: path }, { cause });
  }
  if (!Number.isInteger(file?.maxTokens) || typeof file.model !== 'object' || file.model === null)
    throw new LemurError('bad-file', `${path}: expected a model and maxTokens`, { where: path });
  const weights = await findModel(model ?? ('folder' in file.model ? file.model.folder : undefined));
  const encoder = await openEncoder(weights.folder, await openProjection(folder), threads);
  const limited = { maxTokens: file.maxTokens };
  return {
    // other token limits give other vectors
    id: `${encoder.id}-${file.maxTokens}`,
    dim: encoder.dim,
    maxTokens: file.maxTokens,
    encodeQuery: (texts, options) => encoder.encodeQuery(texts, { ...options, ...limited }),
    encodeDocument: (texts, options) => encoder.encodeDocument(texts, { ...options, ...limited }),
    close: () => encoder.close(),
  };
}

/** Writes the encoder of a new index: the model's token states, projected onto their principal components in a sample of texts. */
export async function makeIndexEncoder(
  folder: string,
  sample: readonly string[],
  options: {
    model?: string | undefined;
    maxTokens?: number | undefined;
    dim?: number | undefined;
    threads?: number | undefined;
  } & RunOptions,
): Promise<void> {
  const { folder: weights, reference } = await findModel(options.model);
  const limits = await checkModel(weights, options.maxTokens);
  const maxTokens = options.maxTokens ?? limits.maxTokens;
  const { signal, onProgress } = options;
  const encoder = await openEncoder(weights, undefined, options.threads);
  try {
    const { vectors, dim: hidden } = await encoder.encodeDocument(sample, { maxTokens, signal, onProgress });
    const dim = Math.min(options.dim ?? DIM, hidden);
    const projection = await principalComponents(vectors, hidden, dim, { signal, onProgress });
    await mkdir(folder, { recursive: true });
    await writeNpyFile(join(folder, 'projection.npy'), { shape: [hidden, dim], data: projection });
    // last, and in one step: a folder that has it has the projection too
    const file: EncoderFile = { model: reference, maxTokens };
    await writeFile(join(folder, `${ENCODER}.tmp`), `${JSON.stringify(file)}\n`);
    await rename(join(folder, `${ENCODER}.tmp`), join(folder, ENCODER));
  } finally {
    await encoder.close();
  }
}
