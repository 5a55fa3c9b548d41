import { LemurError } from '../errors.js';

/** Bytes that memory grows by. */
export const PAGE = 65536;
/** 4 GiB, in pages. */
export const MAXIMUM_PAGES = 65536;
/** 64 MiB: with less there is nothing to be computed. */
const LEAST_PAGES = 1024;

/**
 * The linear memory that kernels compute in: WebAssembly's, or the same made of a plain buffer in
 * engines without it.
 */
export interface KernelMemory {
  /** Another one after `grow` in WebAssembly; views of a plain one grow along. */
  readonly buffer: ArrayBufferLike;
  /** Raises a RangeError beyond the most that was reserved. */
  grow(pages: number): void;
}

/** A memory as a message carries it. */
export type SentMemory = WebAssembly.Memory | SharedArrayBuffer;

/** Engines may be told to make no code as they run (`--jitless`), and have no WebAssembly then. */
export function hasWebAssembly(): boolean {
  return typeof WebAssembly === 'object';
}

/**
 * A page of memory that can grow up to 4 GiB where so much address space can be had, less on small
 * machines. Raises 'unsupported' where none can.
 */
export function createMemory(shared: boolean): KernelMemory {
  for (let maximum = MAXIMUM_PAGES; ; maximum /= 2) {
    try {
      if (hasWebAssembly()) return new WebAssembly.Memory({ initial: 1, maximum, shared });
      const Buffer = (shared ? SharedArrayBuffer : ArrayBuffer) as new (
        length: number,
        options: { maxByteLength: number },
      ) => ArrayBufferLike;
      return overBuffer(new Buffer(PAGE, { maxByteLength: maximum * PAGE }));
    } catch (error) {
      if (maximum <= LEAST_PAGES) throw outOfMemory(error);
    }
  }
}

/** Of a memory that is shared. */
export function sendMemory(memory: KernelMemory): SentMemory {
  return hasWebAssembly() ? (memory as WebAssembly.Memory) : (memory.buffer as SharedArrayBuffer);
}

export function receiveMemory(sent: SentMemory): KernelMemory {
  return Object.prototype.toString.call(sent) === '[object SharedArrayBuffer]'
    ? overBuffer(sent as SharedArrayBuffer)
    : (sent as WebAssembly.Memory);
}

/**
 * Buffers of one length for life that can become longer, newer than the types that are known here.
 */
type GrowingBuffer = ArrayBufferLike & {
  grow?(length: number): void;
  resize?(length: number): void;
};

function overBuffer(buffer: GrowingBuffer): KernelMemory {
  return {
    buffer,
    grow(pages) {
      const length = buffer.byteLength + pages * PAGE;
      if (buffer.grow) buffer.grow(length);
      else buffer.resize?.(length);
    },
  };
}

function outOfMemory(cause: unknown): LemurError {
  const message =
    'the kernels get no memory: 64 MiB of address space could not be reserved; ' +
    'close other indexes, or raise the limit of the process';
  return new LemurError('unsupported', message, { where: 'memory' }, { cause });
}
