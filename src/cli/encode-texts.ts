import { join } from 'node:path';
import type { PoolingEncoder } from '../encoder/node.js';
import type { BeirDocument, BeirQuery } from '../formats/beir.js';
import { createNpyFile, readFloats, writeNpyFile } from '../formats/node-npy.js';
import { principalComponents, project } from '../linalg/principal-components.js';
import type { RunOptions } from '../run-options.js';
import { rowOffsets, type TokenSets } from '../tokens/token-sets.js';
import { openProjection, readTokens } from './collection.js';

/** Documents that the projection is made from: about 33,000 tokens of SciFact, for a matrix of 384 x 384. */
const SAMPLE_DOCUMENTS = 210;
/** Documents encoded in one call, which bounds memory. */
const CHUNK = 256;

/** What encoding takes from the plan. */
interface EncodeTextsOptions extends RunOptions {
  /** Tokens of a text that are encoded. */
  maxTokens: number;
}

/**
 * Encodes whole documents, evenly spaced, with all of the encoder's dimensions, takes the principal components of their tokens as the
 * projection onto `wanted` dimensions (or all of them), and writes it with the sample's projected tokens, so that no document is encoded twice.
 */
export async function encodeSample(
  folder: string,
  encoder: PoolingEncoder,
  documents: readonly BeirDocument[],
  { wanted, ...options }: EncodeTextsOptions & { wanted: number },
): Promise<void> {
  const sample = sampleNumbers(documents.length).map((number) => documentText(documents[number]));
  const { tokens, pooled } = await encoder.encode(sample, { kind: 'document', ...options });
  const { vectors, counts, dim: hidden } = tokens;
  const dim = Math.min(wanted, hidden);
  const projection = await principalComponents(vectors, hidden, dim, options);
  const projected = await project(vectors, hidden, projection, dim, options);
  await writeNpyFile(join(folder, 'sample-tokens.npy'), { shape: [projected.length / dim, dim], data: projected });
  await writeNpyFile(join(folder, 'sample-counts.npy'), { shape: [counts.length], data: counts });
  await writeNpyFile(join(folder, 'sample-pooled.npy'), { shape: [counts.length, pooled.dim], data: pooled.vectors });
  await writeNpyFile(join(folder, 'projection.npy'), { shape: [hidden, dim], data: projection });
}

/** Texts i: rows `offsets[i]` to `offsets[i + 1]` of `vectors`, row i of `pooled`. */
type EncodedTexts = TokenSets & { pooled: Float32Array };

/** Encodes all documents but the sample's, chunk by chunk into the files; `encoder` has the projection. */
export async function encodeDocuments(
  folder: string,
  encoder: PoolingEncoder,
  documents: readonly BeirDocument[],
  { maxTokens, onProgress, signal }: EncodeTextsOptions,
): Promise<void> {
  const { hidden, dim } = await openProjection(folder);
  const numbers = sampleNumbers(documents.length);
  const sample = await readSample(folder, numbers.length, hidden);
  const sampled = new Map(numbers.map((number, i) => [number, i]));
  const counts = new Int32Array(documents.length);
  const encodeSome = async (texts: string[], report: (share: number) => void): Promise<EncodedTexts> => {
    report(0);
    const { tokens, pooled } = await encoder.encode(texts, {
      kind: 'document',
      maxTokens,
      signal,
      onProgress: ({ stage, done, total }) => {
        if (stage === 'encode' && total > 0) report(done / total);
      },
    });
    return { ...tokens, pooled: pooled.vectors };
  };
  const tokenFile = await createNpyFile(join(folder, 'tokens.npy'), dim);
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
        const [start, end] = [source.offsets[text] * dim, source.offsets[text + 1] * dim];
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
  options: EncodeTextsOptions,
): Promise<void> {
  const { tokens, pooled } = await encoder.encode(
    queries.map(({ text }) => text),
    { kind: 'query', ...options },
  );
  const { dim } = tokens;
  await writeNpyFile(join(folder, 'query-tokens.npy'), { shape: [tokens.vectors.length / dim, dim], data: tokens.vectors });
  await writeNpyFile(join(folder, 'query-counts.npy'), { shape: [queries.length], data: tokens.counts });
  await writeNpyFile(join(folder, 'query-pooled.npy'), { shape: [queries.length, pooled.dim], data: pooled.vectors });
}

async function readSample(folder: string, texts: number, hidden: number): Promise<EncodedTexts> {
  const tokens = await readTokens(folder, 'sample-', texts);
  return { ...tokens, offsets: rowOffsets(tokens.counts), pooled: await readFloats(join(folder, 'sample-pooled.npy'), [texts, hidden]) };
}

/** What of a document is encoded. */
export function documentText({ title, text }: BeirDocument): string {
  return title === '' ? text : `${title} ${text}`;
}

/** Numbers of the sample's documents, ascending. */
function sampleNumbers(documents: number): number[] {
  const count = Math.min(documents, SAMPLE_DOCUMENTS);
  return Array.from({ length: count }, (_, i) => Math.floor((i * documents) / count));
}
