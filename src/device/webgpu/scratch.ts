import type { GpuQueue } from './gpu-queue.js';

/** Buffers of one call, which are given back together. */
export class Scratch {
  readonly #queue: GpuQueue;
  readonly #taken: GPUBuffer[] = [];

  constructor(queue: GpuQueue) {
    this.#queue = queue;
  }

  /** A buffer of any content. */
  take(bytes: number): GPUBuffer {
    const buffer = this.#queue.takeScratch(bytes);
    this.#taken.push(buffer);
    return buffer;
  }

  /** A buffer of zeros. */
  zeros(bytes: number): GPUBuffer {
    const buffer = this.take(bytes);
    this.#queue.clear(buffer);
    return buffer;
  }

  /** A buffer with these values. */
  upload(values: Float32Array | Int32Array | Uint32Array): GPUBuffer {
    const buffer = this.take(values.byteLength);
    this.#queue.write(buffer, 0, values);
    return buffer;
  }

  giveBack(): void {
    for (const buffer of this.#taken.splice(0)) this.#queue.giveBack(buffer);
  }
}

/** Buffers of `use`, given back when it ends or fails. */
export async function withScratch<T>(
  queue: GpuQueue,
  use: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const scratch = new Scratch(queue);
  try {
    return await use(scratch);
  } finally {
    if (!queue.failed) scratch.giveBack();
  }
}
