import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { eachChunk } from '../bytes/byte-source.js';
import { openPath } from '../encoder/files/node-files.js';
import type { EncoderPlatform } from '../encoder/platform.js';
import { findPackage } from './node-encoder-packages.js';
import { spawnEncoderWorker, workerFile } from './node-spawn-encoder-worker.js';

/** Node, Deno and Bun: ONNX Runtime in a worker thread. */
export const nodeEncoderPlatform: EncoderPlatform = {
  parallelism: availableParallelism(),
  spawnWorker: spawnEncoderWorker,
  choosePackage(runtime) {
    if (runtime !== 'auto') return `onnxruntime-${runtime}`;
    // where neither is installed the faster one is told of
    const hasWebAlone = !findPackage('onnxruntime-node') && findPackage('onnxruntime-web');
    return hasWebAlone ? 'onnxruntime-web' : 'onnxruntime-node';
  },
  // beside its own file the worker finds it by its name
  addressOf: (name) => (workerFile() ? undefined : findPackage(name)),
  sha256: async (data) => createHash('sha256').update(data).digest('hex'),
  async sha256OfFile(file) {
    const hash = createHash('sha256');
    const source = await openPath(file);
    await eachChunk(source, 0, source.size, undefined, (chunk) => void hash.update(chunk));
    return hash.digest('hex');
  },
};
