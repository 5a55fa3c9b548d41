import { unpackText } from '../bytes/packed.js';
import type { WorkerMessage } from '../encoder/runtime/worker-protocol.js';
import type { WorkerPort } from '../platform.js';
import { fileBeside, spawnNodeWorker, type WorkerScript } from './node-spawn-worker.js';

/**
 * Megabytes of a worker's stack, since native code goes deeper than Node's own 4; what is not used
 * is not taken.
 */
const STACK = 64;
/** The encoder's worker; undefined in a program that was bundled without it. */
export function workerFile(): URL | undefined {
  return fileBeside(import.meta.url, 'node-encoder-worker.js');
}

const encoderWorker: WorkerScript = {
  file: workerFile,
  text: async () => unpackText((await import('./inlined-encoder-worker.js')).WORKER),
  // options of the parent's command line (--input-type, loaders) are not for our own file
  options: { execArgv: [], resourceLimits: { stackSizeMb: STACK } },
};

/** A worker thread; `terminate` asks it to end, and waits until it has. */
export function spawnEncoderWorker(): WorkerPort {
  // ONNX Runtime's telemetry is turned off: texts are nobody's business, and it matches the whole
  // command line against a pattern that overflows the stack
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const port = spawnNodeWorker(encoderWorker);
  return { ...port, terminate: () => port.finish({ kind: 'stop' } satisfies WorkerMessage) };
}
