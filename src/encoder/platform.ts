import type { WorkerPort } from '../platform.js';
import type { CheckpointFile } from './files/checkpoint-files.js';
import type { OnnxPackage } from './runtime/worker-protocol.js';

/** What differs between Node and browsers. */
export interface EncoderPlatform {
  /** Threads worth computing with. */
  readonly parallelism: number;
  /** Which package it is for `runtime`. */
  choosePackage(runtime: 'auto' | 'web' | 'node'): OnnxPackage;
  /** The address of a package that the worker does not find by its name. */
  addressOf(name: OnnxPackage): string | undefined;
  spawnWorker(): WorkerPort;
  /** In hexadecimal digits. */
  sha256(data: string | Uint8Array): Promise<string>;
  sha256OfFile(file: CheckpointFile): Promise<string>;
}
