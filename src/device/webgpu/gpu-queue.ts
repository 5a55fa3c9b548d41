import { LemurError } from '../../errors.js';
import { nextMacrotask } from '../../pacer.js';
import { makePipeline, type Pipeline, type ShaderName } from './shaders.js';

/** Bytes between the numbers of two dispatches, as every adapter can address them. */
const SLOT = 256;
/** Dispatches that are recorded at most before they are given to the device. */
const SLOTS = 256;
/** Multiplications and additions of a submission, some milliseconds of a small card. */
export const SUBMIT_WORK = 4e9;
/** Groups of a dispatch in one dimension, below what every adapter takes. */
const MOST_GROUPS = 32768;
/** Bytes of buffers that wait for the next call. */
const KEPT_BYTES = 256 * 2 ** 20;

/** GPUBufferUsage and GPUMapMode, which not every runtime has as globals. */
const MAP_READ = 1;
const COPY_SRC = 4;
const COPY_DST = 8;
const UNIFORM = 64;
const STORAGE = 128;

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

/** A float32 among the numbers of a dispatch: its bits. */
export function float(value: number): number {
  floats[0] = value;
  return words[0];
}

/** Groups for so many of them in a row, folded where one dimension does not have room. */
export function folded(groups: number): [number, number] {
  const x = Math.min(Math.max(groups, 1), MOST_GROUPS);
  return [x, Math.ceil(Math.max(groups, 1) / x)];
}

/** Counts what was computed, for `npm run bench:gpu`. */
export interface GpuCounts {
  dispatches: number;
  submissions: number;
  /** Multiplications and additions that callers of `turn` state. */
  work: number;
  bytesWritten: number;
  bytesRead: number;
}

/**
 * Records commands in order and gives them to the device in short submissions. Whatever fails there
 * (a lost device, no memory) rejects the next call that waits, and all after it.
 */
export class GpuQueue {
  readonly device: GPUDevice;
  readonly counts: GpuCounts = {
    dispatches: 0,
    submissions: 0,
    work: 0,
    bytesWritten: 0,
    bytesRead: 0,
  };
  readonly #pipelines = new Map<ShaderName, Promise<Pipeline>>();
  readonly #numbers: GPUBuffer;
  readonly #written = new Uint32Array((SLOT * SLOTS) / 4);
  readonly #spare: GPUBuffer[] = [];
  readonly #kept = new Map<number, GPUBuffer[]>();
  #keptBytes = 0;
  #encoder: GPUCommandEncoder | null = null;
  #slots = 0;
  #work = 0;
  #underWay: Promise<unknown>[] = [];
  readonly #waiting = new Set<(error: LemurError) => void>();
  #failure: LemurError | null = null;

  constructor(device: GPUDevice) {
    this.device = device;
    this.#numbers = device.createBuffer({ size: SLOT * SLOTS, usage: UNIFORM | COPY_DST });
    device.lost.then(({ message }) => this.#fail(lostDevice(message)));
    device.onuncapturederror = ({ error }) => this.#fail(lostDevice(error.message));
  }

  /** Whether every call rejects. */
  get failed(): boolean {
    return this.#failure !== null;
  }

  /** Raises 'device-lost' or 'closed' once something has failed. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** A buffer of zeros; may be too much for the device, which `check` then tells. */
  createBuffer(bytes: number): GPUBuffer {
    this.check();
    return this.device.createBuffer({
      size: Math.max(16, 4 * Math.ceil(bytes / 4)),
      usage: STORAGE | COPY_SRC | COPY_DST,
    });
  }

  /** A buffer of zeros, or null where the device has no room for it. */
  async tryBuffer(bytes: number): Promise<GPUBuffer | null> {
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.createBuffer(bytes);
    if ((await this.until(this.device.popErrorScope())) === null) return buffer;
    buffer.destroy();
    return null;
  }

  /** A buffer of any content, at least so large, until it is given back. */
  takeScratch(bytes: number): GPUBuffer {
    const size = 2 ** Math.max(8, Math.ceil(Math.log2(bytes)));
    const most = this.device.limits.maxStorageBufferBindingSize;
    const room = size > most && bytes <= most ? 16 * Math.ceil(bytes / 16) : size;
    const kept = this.#kept.get(room)?.pop();
    if (!kept) return this.createBuffer(room);
    this.#keptBytes -= room;
    return kept;
  }

  /** What is recorded later may use it; what was recorded before comes first on the device. */
  giveBack(buffer: GPUBuffer): void {
    if (this.#keptBytes + buffer.size > KEPT_BYTES) {
      this.destroy(buffer);
      return;
    }
    this.#keptBytes += buffer.size;
    if (!this.#kept.has(buffer.size)) this.#kept.set(buffer.size, []);
    this.#kept.get(buffer.size)?.push(buffer);
  }

  destroy(buffer: GPUBuffer): void {
    if (!this.failed) this.flush();
    buffer.destroy();
  }

  /**
   * Records a dispatch with its numbers (uint32, or `float`) and buffers; null: one that the shader
   * does not look at.
   */
  async dispatch(
    name: ShaderName,
    numbers: readonly number[],
    buffers: readonly (GPUBuffer | null)[],
    [x, y = 1, z = 1]: readonly number[],
  ): Promise<void> {
    this.check();
    const { pipeline, layout } = await this.until(this.#pipelineOf(name));
    if (this.#slots === SLOTS) this.flush();
    const offset = SLOT * this.#slots++;
    this.#written.set(numbers, offset / 4);
    const given = buffers.map((buffer, i) => buffer ?? this.#spareBuffer(i));
    const uniform = { buffer: this.#numbers, offset, size: SLOT };
    const group = this.device.createBindGroup({
      layout,
      entries: [uniform, ...given.map((buffer) => ({ buffer }))].map((resource, binding) => {
        return { binding, resource };
      }),
    });
    const pass = this.#recorded().beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y, z);
    pass.end();
    this.counts.dispatches++;
  }

  /** Bytes that 4 divides, from and to places that 4 divides. */
  copy(from: GPUBuffer, fromByte: number, to: GPUBuffer, toByte: number, bytes: number): void {
    this.check();
    if (bytes > 0) this.#recorded().copyBufferToBuffer(from, fromByte, to, toByte, bytes);
  }

  /** Zeros. */
  clear(buffer: GPUBuffer): void {
    this.check();
    this.#recorded().clearBuffer(buffer);
  }

  /** Bytes that 4 divides, to a place that 4 divides. */
  write(buffer: GPUBuffer, byte: number, data: ArrayBufferView): void {
    this.check();
    // a write does not wait for what is only recorded
    this.flush();
    if (data.byteLength === 0) return;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    // Dawn takes no shared memory
    const own = data.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
    this.device.queue.writeBuffer(buffer, byte, own as Uint8Array<ArrayBuffer>);
    this.counts.bytesWritten += bytes.length;
  }

  /** A copy of bytes from .. to, both of which 4 divides. */
  async read(buffer: GPUBuffer, from: number, to: number): Promise<ArrayBuffer> {
    this.check();
    if (to === from) return new ArrayBuffer(0);
    const size = to - from;
    const staging = this.device.createBuffer({ size, usage: MAP_READ | COPY_DST });
    try {
      this.copy(buffer, from, staging, 0, size);
      this.flush();
      await this.until(staging.mapAsync(1));
      this.counts.bytesRead += size;
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }

  /** Gives what was recorded to the device. */
  flush(): void {
    if (!this.#encoder) return;
    const { queue } = this.device;
    queue.writeBuffer(this.#numbers, 0, this.#written, 0, (SLOT * this.#slots) / 4);
    queue.submit([this.#encoder.finish()]);
    this.#encoder = null;
    this.#slots = 0;
    this.#work = 0;
    this.counts.submissions++;
  }

  /**
   * States the work of what was just recorded. Where it is enough, it is submitted, and waits until
   * no more than one other submission is under way. Rejects with the signal's reason.
   */
  async turn(work: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.check();
    this.counts.work += work;
    this.#work += work;
    if (this.#work < SUBMIT_WORK) return;
    this.flush();
    // of a loss `check` tells; nobody may wait for this one any more
    this.#underWay.push(this.device.queue.onSubmittedWorkDone().catch(() => undefined));
    while (this.#underWay.length > 1) await this.until(this.#underWay.shift() as Promise<unknown>);
    await nextMacrotask();
    signal?.throwIfAborted();
    this.check();
  }

  /** What the device answers; where it was lost meanwhile, that. */
  until<T>(answer: Promise<T>): Promise<T> {
    this.check();
    return new Promise((resolve, reject) => {
      // a device that is lost may never answer
      this.#waiting.add(reject);
      const then = (end: () => void): void => {
        this.#waiting.delete(reject);
        end();
      };
      answer.then(
        (result) => then(() => resolve(result)),
        (error) => then(() => reject(this.#failure ?? lostDevice(error.message, error))),
      );
    });
  }

  /** Every call rejects with 'closed' from now on. */
  close(): void {
    this.#fail(new LemurError('closed', 'this device has been closed', { where: 'device' }));
  }

  #fail(failure: LemurError): void {
    if (this.#failure) return;
    this.#failure = failure;
    for (const reject of this.#waiting) reject(failure);
    this.#waiting.clear();
    // Dawn waits for itself where this is done while it tells of an error
    void nextMacrotask().then(() => this.device.destroy());
  }

  #recorded(): GPUCommandEncoder {
    this.#encoder ??= this.device.createCommandEncoder();
    return this.#encoder;
  }

  #pipelineOf(name: ShaderName): Promise<Pipeline> {
    const made = this.#pipelines.get(name) ?? makePipeline(this.device, name);
    this.#pipelines.set(name, made);
    return made;
  }

  /** For a binding of its own each, as no buffer may be bound twice where one is written. */
  #spareBuffer(binding: number): GPUBuffer {
    this.#spare[binding] ??= this.createBuffer(16);
    return this.#spare[binding];
  }
}

function lostDevice(why: string, cause?: unknown): LemurError {
  const message =
    `the GPU device was lost (${why.trim().split('\n')[0]}); the same call works with ` +
    "{ device: 'cpu' }, or on a new device";
  return new LemurError('device-lost', message, { where: 'device' }, { cause });
}
