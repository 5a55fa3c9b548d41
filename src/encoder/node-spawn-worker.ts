import { Worker } from 'node:worker_threads';
import type { WorkerPort } from '../platform.js';
import type { WorkerMessage } from './worker-protocol.js';

/** A worker thread; `terminate` asks it to end, and waits until it has. */
export function spawnNodeWorker(): WorkerPort {
  // options of the parent's command line (--input-type, loaders) are not for our own file
  const worker = new Worker(new URL('./node-worker.js', import.meta.url), { execArgv: [] });
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
