import { AsyncLocalStorage } from 'node:async_hooks';
import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import * as zlib from 'node:zlib';
import type { Crc32 } from '../bytes/crc32.js';
import { fetchBytes } from '../bytes/fetch-bytes.js';
import { readWhole } from '../bytes/node-file.js';
import { absolutePath } from '../bytes/node-path.js';
import { unpackText } from '../bytes/packed.js';
import { isLemurError, LemurError } from '../errors.js';
import { readTorchFile } from '../formats/torch/torch-file.js';
import * as keywords from '../keywords/keywords.js';
import { passagesOf } from '../passages/passages-of.js';
import type { Platform } from '../platform.js';
import { folderStorage } from '../storage/node-folder.js';
import { fileBeside, spawnNodeWorker, type WorkerScript } from './node-spawn-worker.js';

const kernelsWorker: WorkerScript = {
  file: () => fileBeside(import.meta.url, 'node-kernels-worker.js'),
  text: async () => unpackText((await import('./inlined-kernels-worker.js')).WORKER),
  // the flags of the parent (--input-type, --import, ...) are not for this thread
  options: { execArgv: [] },
};

const calls = new AsyncLocalStorage<object>();

/** Node, Deno and Bun: worker threads. */
export const nodePlatform: Platform = {
  parallelism: availableParallelism(),
  kernels: 'simd',
  sharedMemory: true,
  // Deno's workers do not know the files of its main thread
  readsFiles: !('Deno' in globalThis),
  // not in every runtime that calls itself Node's
  crc32: (zlib as { crc32?: Crc32 }).crc32,
  callContext: {
    run: (call, use) => calls.run(call, use),
    current: () => calls.getStore(),
    // engines that follow calls by hooks make every promise of the process slower meanwhile
    idle: () => calls.disable(),
  },
  openFolder: folderStorage,
  realPath: (path) => realpath(path).catch(() => undefined),
  readBytes,
  readTorchFile,
  loadCutter: async () => passagesOf,
  loadKeywords: async () => keywords,
  spawnWorker: () => spawnNodeWorker(kernelsWorker),
};

/** A drive letter (C:\\) is no scheme. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

async function readBytes(at: string | URL): Promise<Uint8Array> {
  const text = String(at);
  if (!/^file:/i.test(text) && SCHEME.test(text)) return fetchBytes(at);
  try {
    return new Uint8Array(await readWhole(absolutePath(at)));
  } catch (error) {
    if (!isLemurError(error, 'not-found')) throw error;
    throw new LemurError('not-found', error.message, { where: text }, { cause: error.cause });
  }
}
