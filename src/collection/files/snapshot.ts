import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { DeviceTokens } from '../../device/device-tokens.js';
import { TensorScope } from '../../device/with-tensors.js';
import { stepPacer } from '../../pacer.js';
import type { FetchedTokens } from '../../search/fetched-tokens.js';
import type { FetchedCodes } from '../../search/prefix/best-by-codes.js';
import { decodedParts, decodedVectors } from '../../tokens/encode-long.js';
import { unlearnedCodec } from '../../tokens/encode-tokens.js';
import type { EncodedRows, TokenCodec } from '../../tokens/encoding.js';
import type { DocumentRecord } from '../metadata/document-record.js';
import { firstNumbers, joinValues, segmentOf } from './document-numbers.js';
import { encodeId } from './id-table.js';
import type { IndexManifest } from './manifest.js';
import type { QueryModel } from './model-file.js';
import type { OpenFiles, OpenState, SegmentView } from './open-files.js';
import { snapshotCodes } from './snapshot-codes.js';
import { type Keep, snapshotTokens } from './snapshot-tokens.js';
import { codecOf } from './token-codec.js';

/**
 * Steps that finding an id counts as, between two turns of the event loop, and one more in each
 * segment that it is looked for in.
 */
export const STEPS_AN_ID = 4;
/** Documents whose numbers in one array count as a step. */
const STEP_DOCUMENTS = 64;

/** Token vectors and codes of the documents of a state, for searches. */
interface SearchData {
  readonly tokens: DeviceTokens | FetchedTokens;
  /** null without a model, or without documents. */
  readonly codes: DeviceCodes | FetchedCodes | null;
}

/** Opens what a manifest refers to. Rejects with 'not-found' and 'bad-file', naming the file. */
export async function openSnapshot(
  device: SearchDevice,
  files: OpenFiles,
  manifest: IndexManifest,
): Promise<Snapshot> {
  const state = await files.open(manifest);
  const { segments, model } = state;
  const codec = codecOf(manifest) ?? unlearnedCodec(manifest.precision, manifest.dim);
  const documents = segments.reduce((sum, { segment }) => sum + segment.documents, 0);
  const scope = new TensorScope(device);
  const step = stepPacer();
  const keep: Keep = async (tensor) => {
    const made = scope.own(await tensor);
    await step(documents / STEP_DOCUMENTS);
    return made;
  };
  const close = async (): Promise<void> => {
    scope.free();
    await state.release();
  };
  try {
    const tokens = await snapshotTokens(device, segments, codec, keep);
    const codes =
      model && documents > 0 ? await snapshotCodes(device, segments, model, keep) : null;
    return new Snapshot(manifest, state, codec, { tokens, codes }, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * One state of a collection. Documents have numbers in it, segment after segment, deleted ones
 * included.
 */
export class Snapshot implements SearchData {
  readonly manifest: IndexManifest;
  readonly segments: readonly SegmentView[];
  readonly model: QueryModel | null;
  /** How token vectors are stored. */
  readonly codec: TokenCodec;
  readonly tokens: SearchData['tokens'];
  readonly codes: SearchData['codes'];
  /** Number of the first document of each segment, and behind the last. */
  readonly firsts: Int32Array;
  /** Documents, deleted ones included. */
  readonly documents: number;
  /** Documents that are not deleted. */
  readonly live: number;
  /** A byte a document, 0 for deleted ones; null: none is. */
  readonly allowed: Uint8Array | null;
  readonly #close: () => Promise<void>;
  #users = 0;
  #unused: (() => void) | undefined;

  /** Use `openSnapshot`; `close` frees what was made for it. */
  constructor(
    manifest: IndexManifest,
    { segments, model }: OpenState,
    codec: TokenCodec,
    { tokens, codes }: SearchData,
    close: () => Promise<void>,
  ) {
    this.manifest = manifest;
    this.segments = segments;
    this.model = model;
    this.codec = codec;
    this.tokens = tokens;
    this.codes = codes;
    this.firsts = firstNumbers(segments);
    this.documents = this.firsts[segments.length];
    const gone = segments.reduce((sum, { entry }) => sum + (entry.deleted?.count ?? 0), 0);
    this.live = this.documents - gone;
    this.allowed = gone > 0 ? liveDocuments(segments, this.documents) : null;
    this.#close = close;
  }

  /** The number of a document that is not deleted; -1 where there is none. */
  find(id: string): number {
    const encoded = encodeId(id);
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const { segment, deleted } = this.segments[i];
      const at = segment.ids.find(encoded);
      if (at >= 0 && !deleted?.[at]) return this.firsts[i] + at;
    }
    return -1;
  }

  /**
   * Numbers of the passages of a source that are not deleted, in their order; in a collection that
   * is not cut, the number of the document.
   */
  findSource(id: string): number[] {
    if (!this.manifest.passages) {
      const document = this.find(id);
      return document < 0 ? [] : [document];
    }
    const encoded = encodeId(id);
    const found: number[] = [];
    for (const [i, { segment, deleted }] of this.segments.entries()) {
      const [from, to] = segment.sources?.find(encoded) ?? [0, 0];
      for (let at = from; at < to; at++) if (!deleted?.[at]) found.push(this.firsts[i] + at);
    }
    return found;
  }

  /** Segment and number within it. */
  locate(document: number): { view: SegmentView; at: number } {
    const i = segmentOf(this.firsts, document);
    return { view: this.segments[i], at: document - this.firsts[i] };
  }

  id(document: number): string {
    const { view, at } = this.locate(document);
    return view.segment.ids.id(at);
  }

  record(document: number): Promise<DocumentRecord> {
    const { view, at } = this.locate(document);
    return view.segment.record(at);
  }

  /** Token vectors of a document as float32, rows x dim. */
  async vectors(document: number): Promise<Float32Array> {
    return decodedVectors(await this.#tokensOf(document), this.codec);
  }

  /** The same as `decodedParts` gives them. */
  async vectorParts(document: number): Promise<Iterable<Float32Array>> {
    return decodedParts(await this.#tokensOf(document), this.codec);
  }

  /** Until the function returned is called, nothing of it is given back. */
  use(): () => void {
    this.#users++;
    let used = true;
    return () => {
      if (!used) return;
      used = false;
      if (--this.#users === 0) this.#unused?.();
    };
  }

  /** Gives it back when nobody uses it any more. */
  async retire(): Promise<void> {
    if (this.#users > 0)
      await new Promise<void>((resolve) => {
        this.#unused = resolve;
      });
    await this.#close();
  }

  async #tokensOf(document: number): Promise<EncodedRows> {
    const { view, at } = this.locate(document);
    const [text] = await view.segment.readTokens(at, at + 1);
    return text;
  }
}

/** A byte a document, 0 for deleted ones. */
function liveDocuments(segments: readonly SegmentView[], documents: number): Uint8Array {
  const deleted = joinValues(new Uint8Array(documents), segments, (view) => view.deleted);
  return deleted.map((byte) => 1 - byte);
}
