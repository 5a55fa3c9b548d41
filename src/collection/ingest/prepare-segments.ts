import { pacer, stepPacer } from '../../pacer.js';
import { storedVectors } from '../../tokens/encode-long.js';
import { learnCodec } from '../../tokens/encode-tokens.js';
import type { EncodingLoss, TokenCodec } from '../../tokens/encoding.js';
import { joinTexts } from '../../tokens/join.js';
import type { IndexManifest } from '../files/manifest.js';
import { CODEC_SEED } from '../files/token-codec.js';
import { grouped, SEGMENT_LIMITS, type SegmentLimits } from '../metadata/segment-limits.js';
import type { StoredDocument } from '../metadata/stored-document.js';
import { COMMIT } from './admission.js';
import { Arena } from './arena.js';
import type { StoredPart, StoredParts } from './cut-documents.js';
import { DocumentBatch, type WaitingDocument } from './document-batch.js';
import { type DocumentVectors, encodeDocuments, type VectorMaking } from './encode-documents.js';

/** Float32 bytes that an encoding learns from at most. */
const SAMPLE_BYTES = 16 * 1024 * 1024;
/** Documents. */
const SAMPLE_DOCUMENTS = 65_536;
/** Bytes of texts and metadata that count as a step between two turns of the event loop. */
const STEP_BYTES = 1 << 10;

/** Documents as they will be stored, enough for a segment. */
export interface PreparedSegment {
  readonly documents: StoredDocument[];
  /** How their tokens are stored. */
  readonly codec: TokenCodec;
  readonly quantizationError: number;
  /** Texts that had more tokens than the encoder reads. */
  readonly truncated: number;
  /** Whether the last document goes on in the next segment. */
  readonly goesOn: boolean;
}

/** The collection that documents are prepared for. */
export interface SegmentTarget extends VectorMaking, Pick<IndexManifest, 'precision'> {
  /** null: it is learned of the first documents. */
  readonly codec: TokenCodec | null;
  readonly limits?: SegmentLimits | undefined;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of documents that have token vectors. */
  readonly onVectors?: ((documents: number) => void) | undefined;
}

/**
 * A document with its token vectors, which is not stored before it is known how. One object,
 * without what was given: tens of thousands may wait, and the engine moves each of them twice.
 */
interface RawDocument extends DocumentVectors, Omit<WaitingDocument, 'tokens'> {}

/** A document as it will be stored, the bytes that it takes, and what its rounding cost. */
interface ReadyDocument extends StoredDocument, EncodingLoss {
  readonly bytes: number;
  /** Whether more passages of the same document follow. */
  readonly goesOn: boolean;
}

/**
 * Turns documents into segments: given token vectors, pooled, in the collection's token encoding.
 * Holds what one segment stores (64 MiB, texts and metadata included) and one batch (16 MiB, and
 * its vectors), or one document that is larger. At a COMMIT segments end. Rejects with what is
 * wrong with a document's vectors. A document whose passages fit one segment is in one.
 */
export async function* prepareSegments(
  documents: StoredParts,
  target: SegmentTarget,
  options: PrepareOptions,
): AsyncGenerator<PreparedSegment> {
  const preparation = new Preparation(target, options);
  for await (const document of documents) {
    if (document !== COMMIT) await preparation.add(document);
    if (document === COMMIT || preparation.isFull) yield* await preparation.takeSegments();
  }
  yield* await preparation.takeSegments();
}

/** Documents on their way into segments: waiting, with vectors, ready. */
class Preparation {
  readonly #target: SegmentTarget;
  readonly #limits: SegmentLimits;
  readonly #options: PrepareOptions;
  readonly #pace: () => Promise<void> | undefined;
  readonly #step: (steps?: number) => Promise<void> | undefined;
  readonly #batch = new DocumentBatch();
  readonly #vectors = new Arena();
  readonly #rows = new Arena();
  #codec: TokenCodec | null;
  #raw: RawDocument[] = [];
  /** Bytes of their vectors, and of all else that they have. */
  #rawBytes = { vectors: 0, rest: 0 };
  #ready: ReadyDocument[] = [];
  #readyBytes = 0;
  #truncated = 0;
  #made = 0;

  constructor(target: SegmentTarget, options: PrepareOptions) {
    this.#target = target;
    this.#limits = target.limits ?? SEGMENT_LIMITS;
    this.#options = options;
    this.#codec = target.codec;
    this.#pace = pacer(options.signal);
    this.#step = stepPacer(options.signal);
  }

  /** Whether the ready documents fill a segment. */
  get isFull(): boolean {
    const { bytes, documents } = this.#limits;
    return this.#readyBytes >= bytes || this.#ready.length >= documents;
  }

  async add(document: StoredPart): Promise<void> {
    const bytes = await this.#batch.add(document, this.#target.dim);
    await this.#step(bytes / STEP_BYTES);
    if (this.#batch.isFull) await this.#encodeBatch();
  }

  /** All that was added, in segments, but for a document that goes on after others. */
  async takeSegments(): Promise<PreparedSegment[]> {
    await this.#encodeBatch();
    await this.#store();
    const codec = this.#codec;
    if (!codec) return [];
    const segments: PreparedSegment[] = [];
    const ready = this.#takeReady();
    for (const group of grouped(ready, ({ bytes }) => bytes, this.#limits)) {
      segments.push({
        documents: group,
        codec,
        quantizationError: quantizationError(group),
        truncated: segments.length === 0 ? this.#truncated : 0,
        goesOn: group[group.length - 1].goesOn,
      });
      await this.#step(group.length / 4);
    }
    this.#truncated = 0;
    return segments;
  }

  /** Up to the last end of a document; all of one that does not end yet. */
  #takeReady(): ReadyDocument[] {
    let end = this.#ready.length;
    while (end > 0 && this.#ready[end - 1].goesOn) end--;
    const taken = this.#ready.splice(0, end || this.#ready.length);
    this.#readyBytes = this.#ready.reduce((sum, { bytes }) => sum + bytes, 0);
    return taken;
  }

  /** Makes token vectors of the batch, and stores these when there are enough to learn how. */
  async #encodeBatch(): Promise<void> {
    const batch = this.#batch.take();
    if (batch.length === 0) return;
    const { signal, onVectors } = this.#options;
    const { documents, truncated } = await encodeDocuments(batch, this.#target, {
      signal,
      onProgress: ({ done }) => onVectors?.(this.#made + ended(batch, done)),
    });
    this.#made += ended(batch, batch.length);
    onVectors?.(this.#made);
    this.#truncated += truncated;
    for (const [i, { tokens: _, ...document }] of batch.entries()) {
      const { vectors, spans } = documents[i];
      this.#raw.push({ ...document, vectors: this.#vectors.keep(vectors), spans });
      this.#rawBytes.vectors += vectors.byteLength;
      this.#rawBytes.rest += document.bytes;
    }
    if (this.#codec || this.#isSample()) await this.#store();
  }

  /** Whether what has vectors is enough for the encoding to learn from, or too much to hold. */
  #isSample(): boolean {
    const { vectors, rest } = this.#rawBytes;
    return (
      vectors >= SAMPLE_BYTES ||
      rest >= this.#limits.bytes / 2 ||
      this.#raw.length >= SAMPLE_DOCUMENTS
    );
  }

  /** Encodes all vectors as they are stored. */
  async #store(): Promise<void> {
    if (this.#raw.length === 0) return;
    this.#codec ??= await this.#learnCodec();
    for (const raw of this.#raw) {
      await this.#pace();
      const ready = await this.#readyDocument(raw, this.#codec);
      this.#ready.push(ready);
      this.#readyBytes += ready.bytes;
    }
    this.#raw = [];
    this.#rawBytes = { vectors: 0, rest: 0 };
  }

  async #readyDocument(raw: RawDocument, codec: TokenCodec): Promise<ReadyDocument> {
    const { id, text, metadata, passage, mirror, goesOn = false, spans } = raw;
    const { rows: own, scale, error, energy } = await storedVectors(raw.vectors, codec);
    const rows = this.#rows.keep(own);
    const bytes = raw.bytes + rows.byteLength + (spans?.byteLength ?? 0);
    const ready = { id, text, metadata, rows, scale, spans, bytes, goesOn, error, energy };
    return { ...ready, ...(passage && { passage }), ...(mirror && { mirror }) };
  }

  async #learnCodec(): Promise<TokenCodec> {
    const { precision, dim } = this.#target;
    const { signal } = this.#options;
    const vectors: Float32Array[] = [];
    for (const raw of this.#raw) {
      vectors.push(raw.vectors);
      const wait = this.#step(1 / 8);
      if (wait) await wait;
    }
    return learnCodec(precision, await joinTexts(vectors, dim, signal), CODEC_SEED, signal);
  }
}

/** How many documents end among the first of some parts. */
function ended(parts: readonly StoredPart[], count: number): number {
  let documents = 0;
  for (let i = 0; i < Math.min(count, parts.length); i++) if (!parts[i].goesOn) documents++;
  return documents;
}

function quantizationError(documents: readonly ReadyDocument[]): number {
  const energy = documents.reduce((sum, one) => sum + one.energy, 0);
  return energy > 0 ? documents.reduce((sum, one) => sum + one.error, 0) / energy : 0;
}
