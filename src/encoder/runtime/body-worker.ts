import type { Body } from './body.js';
import { type BodyPlatform, makeBody } from './make-body.js';
import { sendError, type WorkerMessage, type WorkerReply } from './worker-protocol.js';

/**
 * What the worker does with its messages: it answers in order, each after the one before. `exit`
 * ends the worker, once what is under way has ended: native code must not be cut off in the middle
 * of a batch, it would take the process with it.
 */
export function bodyWorker(
  platform: BodyPlatform,
  reply: (message: WorkerReply, transfer: ArrayBuffer[]) => void,
  exit: () => void,
): (message: WorkerMessage) => void {
  let body: Body | undefined;
  let last: Promise<void> = Promise.resolve();
  let stopped = false;
  return (message) => {
    if (message.kind === 'stop') {
      stopped = true;
      last = last.then(exit);
    } else {
      last = last.then(() => answer(message));
    }
  };

  async function answer(message: Exclude<WorkerMessage, { kind: 'stop' }>): Promise<void> {
    if (stopped) return;
    try {
      if (message.kind === 'start') {
        body = await makeBody(message, platform);
        reply({ output: undefined }, []);
      } else {
        const output = await (body as Body).run(message.batch, message.pooled);
        reply({ output }, [
          output.states.buffer as ArrayBuffer,
          output.pooled.buffer as ArrayBuffer,
        ]);
      }
    } catch (error) {
      reply({ error: sendError(error) }, []);
    }
  }
}
