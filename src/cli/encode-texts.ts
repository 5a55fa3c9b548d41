import { join } from 'node:path';
import type { PoolingEncoder } from '../encoder/node.js';
import type { BeirDocument, BeirQuery } from '../formats/beir.js';
import { principalComponents, project } from '../linalg/principal-components.js';
import type { RunOptions } from '../run-options.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';
import { readTokens } from './collection.js';
import { DIM, MAX_TOKENS } from './model.js';
import { createNpyFile, readFloats, writeNpyFile } from './npy-file.js';

/** Documents that the projection is made from: about 33,000 tokens of SciFact, for a matrix of 384 x 384. */
const SAMPLE_DOCUMENTS = 210;
/** Documents encoded in one call, which bounds memory. */
const CHUNK = 256;

/**
 * Encodes whole documents, evenly spaced, with all of the encoder's dimensions, takes the principal components of their tokens as the
 * projection, and writes it with the sample's projected tokens, so that no document is encoded twice.
 */
export async function encodeSample(
  folder: string,
  encoder: PoolingEncoder,
  documents: readonly BeirDocument[],
  options: RunOptions,
): Promise<void> {
  const sample = sampleNumbers(documents.length).map((number) => documentText(documents[number]));
  const { tokens, pooled } = await encoder.encode(sample, { kind: 'document', maxTokens: MAX_TOKENS, ...options });
  const { vectors, counts, dim } = tokens;
  const projection = await principalComponents(vectors, dim, DIM, options);
  const projected = await project(vectors, dim, projection, DIM, options);
  await writeNpyFile(join(folder, 'sample-tokens.npy'), { shape: [projected.length / DIM, DIM], data: projected });
  await writeNpyFile(join(folder, 'sample-counts.npy'), { shape: [counts.length], data: counts });
  await writeNpyFile(join(folder, 'sample-pooled.npy'), { shape: [counts.length, pooled.dim], data: pooled.vectors });
  await writeNpyFile(join(folder, 'projection.npy'), { shape: [dim, DIM], data: projection });
}

/** Texts i: rows `offsets[i]` to `offsets[i + 1]` of `vectors`, row i of `pooled`. */
type EncodedTexts = TokenSets & { pooled: Float32Array };

/** Encodes all documents but the sample's, chunk by chunk into the files; `encoder` has the projection. */
export async function encodeDocuments(
  folder: string,
  encoder: PoolingEncoder,
  hidden: number,
  documents: readonly BeirDocument[],
  { onProgress, signal }: RunOptions,
): Promise<void> {
  const numbers = sampleNumbers(documents.length);
  const sample = await readSample(folder, numbers.length, hidden);
  const sampled = new Map(numbers.map((number, i) => [number, i]));
  const counts = new Int32Array(documents.length);
  const encodeSome = async (texts: string[], report: (share: number) => void): Promise<EncodedTexts> => {
    report(0);
    const { tokens, pooled } = await encoder.encode(texts, {
      kind: 'document',
      maxTokens: MAX_TOKENS,
      signal,
      onProgress: ({ stage, done, total }) => {
        if (stage === 'encode' && total > 0) report(done / total);
      },
    });
    return { ...tokens, pooled: pooled.vectors };
  };
  const tokenFile = await createNpyFile(join(folder, 'tokens.npy'), DIM);
  const pooledFile = await createNpyFile(join(folder, 'pooled.npy'), hidden);
  try {
    for (let from = 0; from < documents.length; from += CHUNK) {
      const to = Math.min(documents.length, from + CHUNK);
      const rest = Array.from({ length: to - from }, (_, i) => from + i).filter((number) => !sampled.has(number));
      const encoded = await encodeSome(
        rest.map((number) => documentText(documents[number])),
        (share) => onProgress?.({ stage: 'encode', done: from + Math.round(share * (to - from)), total: documents.length }),
      );
      for (let number = from, next = 0; number < to; number++) {
        const at = sampled.get(number);
        const source = at === undefined ? encoded : sample;
        const text = at ?? next++;
        const [start, end] = [source.offsets[text] * DIM, source.offsets[text + 1] * DIM];
        counts[number] = source.counts[text];
        await tokenFile.append(source.vectors.subarray(start, end));
        await pooledFile.append(source.pooled.subarray(text * hidden, (text + 1) * hidden));
      }
    }
    await writeNpyFile(join(folder, 'counts.npy'), { shape: [documents.length], data: counts });
    await tokenFile.finish();
    await pooledFile.finish();
  } finally {
    await tokenFile.discard();
    await pooledFile.discard();
  }
}

export async function encodeQueries(
  folder: string,
  encoder: PoolingEncoder,
  queries: readonly BeirQuery[],
  options: RunOptions,
): Promise<void> {
  const { tokens, pooled } = await encoder.encode(
    queries.map(({ text }) => text),
    { kind: 'query', maxTokens: MAX_TOKENS, ...options },
  );
  const rows = tokens.vectors.length / DIM;
  await writeNpyFile(join(folder, 'query-tokens.npy'), { shape: [rows, DIM], data: tokens.vectors });
  await writeNpyFile(join(folder, 'query-counts.npy'), { shape: [queries.length], data: tokens.counts });
  await writeNpyFile(join(folder, 'query-pooled.npy'), { shape: [queries.length, pooled.dim], data: pooled.vectors });
}

async function readSample(folder: string, texts: number, hidden: number): Promise<EncodedTexts> {
  const tokens = await readTokens(folder, 'sample-', texts);
  return { ...tokens, offsets: rowOffsets(tokens.counts), pooled: await readFloats(join(folder, 'sample-pooled.npy'), [texts, hidden]) };
}

function documentText({ title, text }: BeirDocument): string {
  return title === '' ? text : `${title} ${text}`;
}

/** Numbers of the sample's documents, ascending. */
function sampleNumbers(documents: number): number[] {
  const count = Math.min(documents, SAMPLE_DOCUMENTS);
  return Array.from({ length: count }, (_, i) => Math.floor((i * documents) / count));
}
