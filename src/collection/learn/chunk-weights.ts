import type { Device } from '../../device/device.js';
import { type DeviceTokens, uploadTokens } from '../../device/device-tokens.js';
import type { Tensor } from '../../device/memory.js';
import { type TensorScope, withTensors } from '../../device/with-tensors.js';
import { documentWeights } from '../../learn/document-weights.js';
import type { Reduction } from '../../learn/reduction.js';
import type { Scaling } from '../../learn/scaling.js';
import type { RunOptions } from '../../run-options.js';
import { joinEncoded } from '../../tokens/encode-tokens.js';
import { joinArrays } from '../../tokens/join.js';
import type { Residual } from '../files/manifest.js';
import type { SegmentView } from '../files/open-files.js';
import type { Snapshot } from '../files/snapshot.js';
import { DOCUMENTS_AT_ONCE } from './document-codes.js';
import { lengthsByModel } from './lengths-by-model.js';
import { measureResidual, sampleEvenly } from './residual.js';

/** Documents of one segment whose weights are computed together. */
export interface DocumentChunk {
  readonly view: SegmentView;
  readonly from: number;
  readonly to: number;
}

/** Weights of a chunk, documents x d', and the documents' relative lengths. */
export interface WeighedChunk {
  readonly w: Tensor<'f32'>;
  readonly lengths: Float32Array | null;
}

/** All documents of a segment in chunks. */
export function chunksOf(view: SegmentView): DocumentChunk[] {
  const { documents } = view.segment;
  return Array.from({ length: Math.ceil(documents / DOCUMENTS_AT_ONCE) }, (_, i) => ({
    view,
    from: i * DOCUMENTS_AT_ONCE,
    to: Math.min(documents, (i + 1) * DOCUMENTS_AT_ONCE),
  }));
}

/** Chunks from all over the collection, of `wanted` documents and few more. */
export function spreadChunks(chunks: readonly DocumentChunk[], wanted: number): DocumentChunk[] {
  const total = chunks.reduce((sum, { from, to }) => sum + to - from, 0);
  const share = Math.min(1, wanted / total);
  const chosen: DocumentChunk[] = [];
  let seen = 0;
  let taken = 0;
  for (const chunk of chunks) {
    seen += chunk.to - chunk.from;
    if (taken >= seen * share) continue;
    chosen.push(chunk);
    taken += chunk.to - chunk.from;
  }
  return chosen;
}

/**
 * Weights of a collection's documents, chunk by chunk. Those that are computed ahead, as a sample
 * of all, are kept until they are taken.
 */
export class ChunkWeights {
  readonly #device: Device;
  readonly #snapshot: Snapshot;
  readonly #reduction: Reduction;
  readonly #run: RunOptions;
  readonly #ahead = new Map<DocumentChunk, WeighedChunk>();
  #done = 0;

  constructor(device: Device, snapshot: Snapshot, reduction: Reduction, run: RunOptions) {
    this.#device = device;
    this.#snapshot = snapshot;
    this.#reduction = reduction;
    this.#run = run;
  }

  /** Computes weights ahead. Returns how well they explain the targets of some documents. */
  async computeAhead(chunk: DocumentChunk): Promise<Residual> {
    const some = sampleEvenly(chunk.to - chunk.from);
    return this.#compute(chunk, (weighed, tokens) => {
      this.#ahead.set(chunk, weighed);
      return measureResidual(this.#device, this.#reduction, tokens, weighed.w, some);
    });
  }

  /** All weights that were computed ahead, joined in the scope, with their scaling. */
  async sample(scope: TensorScope): Promise<{ w: Tensor<'f32'>; scaling: Scaling }> {
    const { latentDim } = this.#reduction.featureMap.layout;
    const chunks = [...this.#ahead.values()];
    const lengths = joinLengths(chunks.map(({ w, lengths }) => lengths ?? w.length / latentDim));
    const weights = chunks.map(({ w }) => w);
    return {
      w: await scope.join('f32', weights),
      scaling: { lengths, base: this.#reduction.base },
    };
  }

  /** Has the weights of a chunk used, once. */
  async take<T>(chunk: DocumentChunk, use: (weighed: WeighedChunk) => Promise<T>): Promise<T> {
    const weighed =
      this.#ahead.get(chunk) ?? (await this.#compute(chunk, async (computed) => computed));
    this.#ahead.delete(chunk);
    try {
      return await use(weighed);
    } finally {
      this.#device.free(weighed.w);
    }
  }

  /** Frees what was not taken. */
  close(): void {
    this.#device.free(...[...this.#ahead.values()].map(({ w }) => w));
    this.#ahead.clear();
  }

  async #compute<T>(
    { view, from, to }: DocumentChunk,
    use: (weighed: WeighedChunk, tokens: DeviceTokens) => Promise<T>,
  ): Promise<T> {
    const { signal, onProgress } = this.#run;
    signal?.throwIfAborted();
    const encoded = joinEncoded(await view.segment.readTokens(from, to), this.#snapshot.codec);
    const result = await withTensors(this.#device, async (scope) => {
      const tokens = await uploadTokens(scope, encoded);
      const lengths = await lengthsByModel(this.#reduction, encoded, this.#run);
      const w = await documentWeights(this.#device, this.#reduction, tokens, { signal });
      return use({ w, lengths }, tokens);
    });
    this.#done += to - from;
    onProgress?.({
      stage: 'document weights',
      done: this.#done,
      total: this.#snapshot.documents,
    });
    return result;
  }
}

/** Lengths of several groups as one, a number standing for so many of 1; null where all are 1. */
function joinLengths(parts: readonly (Float32Array | number)[]): Float32Array | null {
  if (parts.every((part) => typeof part === 'number')) return null;
  return joinArrays(
    parts.map((part) => (typeof part === 'number' ? new Float32Array(part).fill(1) : part)),
    (length) => new Float32Array(length),
  );
}
