import { Worker } from 'node:worker_threads';
import type { WorkerPort } from '../platform.js';
import type { WorkerMessage } from './worker-protocol.js';

/** Megabytes of a worker's stack, since native code goes deeper than Node's own 4; what is not used is not taken. */
const STACK = 64;

/** A worker thread; `terminate` asks it to end, and waits until it has. */
export function spawnNodeWorker(): WorkerPort {
  // what computes a text on this machine tells nobody about it; it also reads the whole command line by a pattern that overflows the stack
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  // options of the parent's command line (--input-type, loaders) are not for our own file
  const worker = new Worker(new URL('./node-worker.js', import.meta.url), { execArgv: [], resourceLimits: { stackSizeMb: STACK } });
  const exited = new Promise<number>((resolve) => {
    worker.on('exit', resolve);
  });
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onDeath) {
      worker.on('message', onMessage);
      worker.on('error', onDeath);
      void exited.then((code) => onDeath(new Error(`exit code ${code}`)));
    },
    keepAlive(alive) {
      if (alive) worker.ref();
      else worker.unref();
    },
    async terminate() {
      worker.postMessage({ kind: 'stop' } satisfies WorkerMessage);
      worker.ref();
      await exited;
    },
  };
}
