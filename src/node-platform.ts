import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import { LemurError } from './errors.js';
import { fetchBytes } from './fetch-bytes.js';
import type { Crc32 } from './formats/crc32.js';
import type { Platform } from './platform.js';
import { folderStorage } from './storage/node-folder.js';

/** Node, Deno and Bun: worker threads. */
export const nodePlatform: Platform = {
  parallelism: availableParallelism(),
  kernels: 'simd',
  sharedMemory: true,
  // Deno's workers do not know the files of its main thread
  readsFiles: !('Deno' in globalThis),
  // not in every runtime that calls itself Node's
  crc32: (zlib as { crc32?: Crc32 }).crc32,
  openFolder: folderStorage,
  readBytes,
  spawnWorker() {
    // the flags of the parent (--input-type, --import, ...) are not for this thread
    const worker = new Worker(new URL('./node-worker.js', import.meta.url), { execArgv: [] });
    let wanted = true;
    worker.unref();
    return {
      post: (message, transfer = []) => worker.postMessage(message, transfer as ArrayBuffer[]),
      listen(onMessage, onDeath) {
        worker.on('message', onMessage);
        worker.on('error', onDeath);
        worker.on('exit', (code) => {
          if (wanted) onDeath(new Error(`exit code ${code}`));
        });
      },
      keepAlive(alive) {
        if (alive) worker.ref();
        else worker.unref();
      },
      async terminate() {
        wanted = false;
        await worker.terminate();
      },
    };
  },
};

/** A drive letter (C:\\) is no scheme. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

async function readBytes(at: string | URL): Promise<Uint8Array> {
  const text = String(at);
  const isFile = text.startsWith('file:');
  if (!isFile && SCHEME.test(text)) return fetchBytes(at);
  try {
    return new Uint8Array(await readFile(isFile ? new URL(text) : text));
  } catch (cause) {
    throw new LemurError('not-found', `${text}: no such file (${(cause as Error).message})`, { where: text }, { cause });
  }
}
