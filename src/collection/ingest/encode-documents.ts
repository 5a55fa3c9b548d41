import { encodeTexts } from '../../encoder/encode-texts.js';
import type { Encoder } from '../../encoder/encoder.js';
import type { RunOptions } from '../../run-options.js';
import { joinTexts } from '../../tokens/join.js';
import { poolTokens } from '../../tokens/pool-tokens.js';
import { tokenRows } from '../../tokens/token-matrix.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import type { CheckedDocument } from '../metadata/document.js';

/** Token vectors of a document, merged as the collection says, and their places in its text. */
export interface DocumentVectors {
  /** tokens x dim. */
  readonly vectors: Float32Array;
  /** Begin and end in the text for each token; undefined for vectors that were given. */
  readonly spans: Int32Array | undefined;
}

/** How token vectors of documents are made. */
export interface VectorMaking {
  readonly encoder: Encoder | undefined;
  readonly dim: number;
  /** Tokens that become one. */
  readonly pooling: number;
}

/**
 * Token vectors of documents in their order, of texts by the encoder, and how many of these had
 * more tokens than it reads.
 */
export async function encodeDocuments(
  documents: readonly CheckedDocument[],
  making: VectorMaking,
  options: RunOptions,
): Promise<{ documents: DocumentVectors[]; truncated: number }> {
  const texts = documents.filter(({ tokens }) => tokens === undefined);
  const encoded = await vectorsOfTexts(texts, making, options);
  const out: DocumentVectors[] = [];
  let next = 0;
  for (const document of documents) {
    out.push(
      document.tokens === undefined
        ? encoded.documents[next++]
        : await givenVectors(document, making, options),
    );
  }
  return { documents: out, truncated: encoded.truncated };
}

async function vectorsOfTexts(
  documents: readonly CheckedDocument[],
  { encoder, dim, pooling }: VectorMaking,
  { signal, onProgress }: RunOptions,
): Promise<{ documents: DocumentVectors[]; truncated: number }> {
  if (documents.length === 0 || !encoder) return { documents: [], truncated: 0 };
  const texts = documents.map(({ text }) => text as string);
  const encoded = await encodeTexts(encoder, 'document', texts, {
    dim,
    nameOf: (text) => `document ${JSON.stringify(documents[text].id)}`,
    signal,
    onProgress: onProgress && ((progress) => progress.stage === 'encode' && onProgress(progress)),
  });
  const pooled = pooling > 1 ? await poolTokens(encoded, pooling, { signal }) : encoded;
  return {
    documents: documents.map((_, i) => ({
      // a copy: an encoder may use its array again for the next texts
      vectors: pooled.vectors.slice(pooled.offsets[i] * dim, pooled.offsets[i + 1] * dim),
      spans: spansOf(encoded, pooled, i),
    })),
    truncated: encoded.truncated ?? 0,
  };
}

async function givenVectors(
  { id, tokens }: CheckedDocument,
  { dim, pooling }: VectorMaking,
  { signal }: RunOptions,
): Promise<DocumentVectors> {
  const where = `document ${JSON.stringify(id)}`;
  const vectors = await tokenRows(tokens as NonNullable<typeof tokens>, where, signal);
  if (pooling === 1) return { vectors, spans: undefined };
  const pooled = await poolTokens(await joinTexts([vectors], dim), pooling, { signal });
  return { vectors: pooled.vectors, spans: undefined };
}

/** Spans of a text's stored vectors: of a merged one, those of its first member. */
function spansOf(
  { spans, offsets }: TokenSets & { spans?: Int32Array | undefined },
  { members, counts }: TokenSets & { members?: Int32Array | undefined },
  text: number,
): Int32Array | undefined {
  if (!spans) return undefined;
  if (!members) return spans.slice(2 * offsets[text], 2 * offsets[text + 1]);
  const out = new Int32Array(2 * counts[text]).fill(-1);
  for (let row = offsets[text]; row < offsets[text + 1]; row++) {
    const to = members[row];
    if (out[2 * to] < 0) out.set(spans.subarray(2 * row, 2 * row + 2), 2 * to);
  }
  return out;
}
