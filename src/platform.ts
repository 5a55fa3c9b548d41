import { type Crc32, provideCrc32 } from './bytes/crc32.js';
import { LemurError } from './errors.js';
import type { TorchValue } from './formats/torch/torch-file.js';
import type * as keywords from './keywords/keywords.js';
import type { passagesOf } from './passages/passages-of.js';
import type { Storage } from './storage/storage.js';

/** A worker of whatever kind the platform has. */
export interface WorkerPort {
  post(message: unknown, transfer?: readonly ArrayBufferLike[]): void;
  /**
   * One listener for messages and one for the worker's death (an error, or an exit nobody asked
   * for).
   */
  listen(onMessage: (message: unknown) => void, onDeath: (cause: unknown) => void): void;
  /** Whether the worker keeps the process alive. */
  keepAlive(alive: boolean): void;
  terminate(): Promise<void>;
}

/** Tells inside of which call something runs. */
export interface CallContext {
  /**
   * What `use` gives; it and, where the engine can tell, all that it goes on to do run inside of
   * `call`.
   */
  run<T>(call: object, use: () => T): T;
  /** The innermost call that this runs inside of. */
  current(): object | undefined;
  /** No call is under way. */
  idle(): void;
}

/** What differs between Node and browsers. Entry points provide it. */
export interface Platform {
  /** Threads worth starting. */
  readonly parallelism: number;
  /** Whether memory can be shared with workers (in browsers: cross-origin isolation). */
  readonly sharedMemory: boolean;
  /**
   * Whether its workers read files that the main thread has opened, by the system's number of each.
   */
  readonly readsFiles: boolean;
  /** `simd` where the engine has it, which is nearly everywhere; `plain` never tries. */
  readonly kernels: 'simd' | 'plain';
  /** Before kernels are compiled for a device: what a program of its own wants set for them. */
  readonly prepareKernels?: (() => Promise<unknown>) | undefined;
  /** A checksum that is quicker than one in JavaScript, where there is one. */
  readonly crc32?: Crc32 | undefined;
  /** Where the engine follows what a call awaits. */
  readonly callContext?: CallContext | undefined;
  spawnWorker(): WorkerPort;
  /** A folder by its path or `file:` URL. */
  openFolder(path: string | URL): Storage;
  /** Reads a file that torch.save wrote; by code that a page loads when it meets one. */
  readTorchFile(bytes: Uint8Array, where: string): Promise<TorchValue>;
  /** What cuts documents into passages; code that a page loads when it cuts one. */
  loadCutter(): Promise<typeof passagesOf>;
  /** What makes and searches keywords; code that a page loads when it first does either. */
  loadKeywords(): Promise<typeof keywords>;
  /** A path without links; undefined: nothing is there. Absent where there are no paths. */
  readonly realPath?: ((path: string) => Promise<string | undefined>) | undefined;
  /** The file at a URL; where there are paths, at a path too. Raises `not-found`. */
  readBytes(at: string | URL): Promise<Uint8Array>;
}

let current: Platform | undefined;

export function providePlatform(platform: Platform): void {
  current = platform;
  provideCrc32(platform.crc32);
}

export function platform(): Platform {
  if (!current)
    throw new LemurError(
      'unsupported',
      'no platform: import lemur by its package name, not by a path inside it',
      { where: 'platform' },
    );
  return current;
}
