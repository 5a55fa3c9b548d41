import { abortableItems } from '../../abortable.js';
import { encodeTexts } from '../../encoder/encode-texts.js';
import type { Encoder } from '../../encoder/encoder.js';
import { nextMacrotask, pacer, stepPacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import { encodeVectors, learnCodec } from '../../tokens/encode-tokens.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import { joinTexts } from '../../tokens/join.js';
import { poolTokens } from '../../tokens/pool-tokens.js';
import { isTensor, matrixShape, type TokenSets, tokenRows } from '../../tokens/token-sets.js';
import type { Call } from '../calls/calls.js';
import type { IndexManifest } from '../files/manifest.js';
import { CODEC_SEED } from '../files/token-codec.js';
import { type CheckedDocument, checkDocument, type IndexDocument } from '../metadata/document.js';
import { countValues } from '../metadata/metadata-paths.js';
import {
  grouped,
  SEGMENT_LIMITS,
  type SegmentLimits,
  storedBytes,
} from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';

/** Values of a document that is not stored in no time. */
const LONG = 1 << 20;
/** Documents that are encoded in one call. */
const BATCH = 256;
/** Bytes of text that are. */
const BATCH_TEXT_BYTES = 4 * 1024 * 1024;
/** Bytes of all that these documents have. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** Float32 bytes that an encoding learns from at most. */
const SAMPLE_BYTES = 16 * 1024 * 1024;

/**
 * What a document counts as among the steps between two turns of the event loop, besides its
 * metadata's values.
 */
const STEPS_A_DOCUMENT = 32;

/** Documents as they will be stored, enough for a segment. */
export interface PreparedSegment {
  documents: StoredDocument[];
  /** How their tokens are stored. */
  codec: TokenCodec;
  quantizationError: number;
  /** Texts that had more tokens than the encoder reads. */
  truncated: number;
}

/** What documents are prepared for. */
export interface IngestTarget extends Pick<IndexManifest, 'dim' | 'precision' | 'pooling'> {
  /** null: it is learned of the first documents. */
  codec: TokenCodec | null;
  encoder: Encoder | undefined;
  limits?: SegmentLimits | undefined;
}

/** A document that waits for its vectors, and the bytes that the rest of it takes. */
interface WaitingDocument extends CheckedDocument {
  bytes: number;
}

/**
 * A document with its token vectors, merged as the collection says, and their places in its text.
 */
interface EncodedDocument {
  document: WaitingDocument;
  vectors: Float32Array;
  spans: Int32Array | undefined;
}

/** As it will be stored, the bytes that it takes, and what its rounding cost. */
interface ReadyDocument {
  document: StoredDocument;
  bytes: number;
  error: number;
  energy: number;
}

/**
 * Turns documents into segments: checked, made token vectors, pooled, in the
 * collection's token encoding. Holds what one segment stores (64 MiB, texts and metadata included)
 * and one batch (16 MiB, and its vectors), or one document
 * that is larger. `wanted` says of each document that has passed the gate whether it goes in.
 * Rejects with what is wrong with a document.
 */
export async function* prepareSegments(
  documents: AsyncIterable<IndexDocument> | Iterable<IndexDocument>,
  wanted: (document: CheckedDocument) => boolean | 'flush',
  target: IngestTarget,
  options: RunOptions & {
    guard?: Call['guard'] | undefined;
    prepared?: ((documents: number) => void) | undefined;
  },
): AsyncGenerator<PreparedSegment> {
  const { dim, encoder, limits = SEGMENT_LIMITS } = target;
  const { signal } = options;
  const pace = pacer(signal);
  const step = stepPacer(signal);
  let { codec } = target;
  let stored: ReadyDocument[] = [];
  let bytes = 0;
  let truncated = 0;
  /** Vectors, but not stored before it is known how. */
  let raw: EncodedDocument[] = [];
  let rawBytes = 0;
  let rawRest = 0;
  let batch: WaitingDocument[] = [];
  let batchBytes = 0;
  let textBytes = 0;
  let prepared = 0;

  const store = async (): Promise<void> => {
    if (raw.length === 0) return;
    codec ??= await learnCodec(
      target.precision,
      await joinTexts(
        raw.map(({ vectors }) => vectors),
        dim,
        signal,
      ),
      CODEC_SEED,
      signal,
    );
    for (const { document, vectors, spans } of raw) {
      await pace();
      // not its tokens, which take four times as much
      const { id, text, metadata, bytes: rest } = document;
      const encoded = encodeVectors(vectors, codec);
      if (vectors.length > LONG) await nextMacrotask();
      const loss = codec.encoding.loss(vectors, encoded, codec);
      const taken = rest + encoded.rows.byteLength + (spans?.byteLength ?? 0);
      bytes += taken;
      stored.push({
        document: { id, text, metadata, ...encoded, spans },
        bytes: taken,
        ...loss,
      });
    }
    raw = [];
    rawBytes = rawRest = 0;
  };
  const encode = async (): Promise<void> => {
    if (batch.length === 0) return;
    const encoded = await encodeBatch(batch, encoder, target, {
      signal,
      onProgress: ({ done }) => options.prepared?.(prepared + done),
    });
    prepared += batch.length;
    options.prepared?.(prepared);
    truncated += encoded.truncated;
    for (const item of encoded.documents) {
      raw.push(item);
      rawBytes += item.vectors.byteLength;
      rawRest += item.document.bytes;
    }
    batch = [];
    batchBytes = textBytes = 0;
    if (codec || rawBytes >= SAMPLE_BYTES || rawRest >= limits.bytes / 2) await store();
  };
  const flush = async (): Promise<PreparedSegment[]> => {
    await encode();
    await store();
    const used = codec;
    if (!used) return [];
    const segments: PreparedSegment[] = [];
    for (const group of grouped(stored, (one) => one.bytes, limits)) {
      const energy = group.reduce((sum, one) => sum + one.energy, 0);
      const quantizationError =
        energy > 0 ? group.reduce((sum, one) => sum + one.error, 0) / energy : 0;
      segments.push({
        documents: group.map(({ document }) => document),
        codec: used,
        quantizationError,
        truncated: 0,
      });
      await step(group.length / 4);
    }
    if (segments.length > 0) segments[0].truncated = truncated;
    stored = [];
    bytes = truncated = 0;
    return segments;
  };

  let index = 0;
  const gate = { dim, encodes: encoder !== undefined };
  for await (const document of abortableItems(documents, signal, options.guard)) {
    await pace();
    signal?.throwIfAborted();
    const checked = checkDocument(document, `document ${index++}`, gate);
    await step(STEPS_A_DOCUMENT + countValues(checked.metadata));
    let want = wanted(checked);
    if (want === 'flush') {
      yield* await flush();
      // the one that it replaces is in the collection now
      want = wanted(checked);
    }
    if (!want) continue;
    const waiting = { ...owned(checked), bytes: await storedBytes(checked) };
    batch.push(waiting);
    batchBytes += waiting.bytes + tokenBytes(checked);
    textBytes += checked.text === undefined ? 0 : 2 * checked.text.length;
    if (batch.length >= BATCH || textBytes >= BATCH_TEXT_BYTES || batchBytes >= BATCH_BYTES)
      await encode();
    if (bytes >= limits.bytes || stored.length >= limits.documents) yield* await flush();
  }
  yield* await flush();
}

/** Of token vectors that came with it. */
function tokenBytes({ tokens }: CheckedDocument): number {
  if (tokens === undefined) return 0;
  const { rows, dim } = matrixShape(tokens, 'tokens');
  return 4 * rows * dim;
}

/**
 * With token vectors of its own: what gives documents one by one may use its array again for the
 * next.
 */
function owned(document: CheckedDocument): CheckedDocument {
  const { tokens } = document;
  if (tokens === undefined) return document;
  if (isTensor(tokens))
    return { ...document, tokens: { dims: [...tokens.dims], data: tokens.data.slice() } };
  return { ...document, tokens: tokens.map((row) => row.slice()) };
}

/** Token vectors of documents, those of texts by the encoder, merged as the collection says. */
async function encodeBatch(
  batch: readonly WaitingDocument[],
  encoder: Encoder | undefined,
  { dim, pooling }: IngestTarget,
  { signal, onProgress }: RunOptions,
): Promise<{ documents: EncodedDocument[]; truncated: number }> {
  const texts = batch.filter(({ tokens }) => tokens === undefined);
  const encoded =
    texts.length > 0 && encoder
      ? await encodeTexts(
          encoder,
          'document',
          texts.map(({ text }) => text as string),
          {
            dim,
            nameOf: (text) => `document ${JSON.stringify(texts[text].id)}`,
            signal,
            onProgress: ofTexts(onProgress),
          },
        )
      : null;
  const result = new Map<WaitingDocument, EncodedDocument>();
  if (encoded) {
    const pooled = pooling > 1 ? await poolTokens(encoded, pooling, { signal }) : encoded;
    texts.forEach((document, i) => {
      // a copy: an encoder may use its array again for the next texts
      const vectors = pooled.vectors.slice(pooled.offsets[i] * dim, pooled.offsets[i + 1] * dim);
      result.set(document, { document, vectors, spans: spansOf(encoded, pooled, i) });
    });
  }
  for (const document of batch) {
    if (document.tokens === undefined) continue;
    const rows = await tokenRows(
      document.tokens,
      `document ${JSON.stringify(document.id)}`,
      signal,
    );
    const vectors =
      pooling > 1
        ? (await poolTokens(await joinTexts([rows], dim), pooling, { signal })).vectors
        : rows;
    result.set(document, { document, vectors, spans: undefined });
  }
  return {
    documents: batch.map((document) => result.get(document) as EncodedDocument),
    truncated: encoded?.truncated ?? 0,
  };
}

/** Of what an encoder reports, the texts that it has encoded. */
function ofTexts(onProgress: RunOptions['onProgress']): RunOptions['onProgress'] {
  return onProgress && ((progress) => progress.stage === 'encode' && onProgress(progress));
}

/** Spans of a text's stored vectors: of a merged one, those of its first member. */
function spansOf(
  sets: TokenSets & { spans?: Int32Array | undefined },
  pooled: TokenSets & { members?: Int32Array | undefined },
  text: number,
): Int32Array | undefined {
  const { spans, offsets } = sets;
  if (!spans) return undefined;
  const { members } = pooled;
  if (!members) return spans.slice(2 * offsets[text], 2 * offsets[text + 1]);
  const out = new Int32Array(2 * pooled.counts[text]).fill(-1);
  for (let row = offsets[text]; row < offsets[text + 1]; row++) {
    const to = members[row];
    if (out[2 * to] < 0) out.set(spans.subarray(2 * row, 2 * row + 2), 2 * to);
  }
  return out;
}
