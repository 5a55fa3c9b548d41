import { afterEach, describe, expect, test } from 'vitest';
import { drawBlock } from '../../dist/device/cpu/board.js';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { ToWorker } from '../../dist/device/cpu/protocol.js';
import type { Device } from '../../dist/device/device.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import type { TopRows } from '../../dist/device/retriever.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { encode, maps, parametersOf, queries, sets, weights } from './conformance-data.js';

type RunMessage = Extract<ToWorker, { type: 'run' }>;

/** A device of two threads, of which the second dies in the first job after `lose`. */
class Fragile {
  /** Step whose first block it has drawn by then, and never does; null: it lives. */
  step: number | null = null;
  spawned = 0;

  open(): Promise<Device> {
    return createCpuDevice({ ...nodePlatform, spawnWorker: () => this.#spawn() }, 2);
  }

  #spawn() {
    const port = nodePlatform.spawnWorker();
    const first = this.spawned++ % 2 === 0;
    return {
      ...port,
      post: (message: unknown, transfer?: readonly ArrayBufferLike[]) => {
        const run = this.step === null ? null : runOf(message as ToWorker);
        if (run && first) this.#draw(run);
        // a message that no worker understands ends its thread
        port.post(run && !first ? this.#kill() : message, transfer);
      },
    };
  }

  #draw({ steps, board }: RunMessage): void {
    const step = this.step as number;
    expect(drawBlock(board, step, steps[step].blocks)).toBe(0);
  }

  #kill(): unknown {
    this.step = null;
    return { type: 'news', news: null };
  }
}

/** The job that a message brings; null: it brings none. */
function runOf(message: ToWorker): RunMessage | null {
  if (message.type === 'news') return message.next && runOf(message.next);
  return message.type === 'run' ? message : null;
}

let opened: Device | undefined;
afterEach(() => opened?.close());

async function search(device: Device): Promise<() => Promise<TopRows>> {
  const codes = await encode(device);
  const featureMap = {
    layout: maps.one,
    parameters: await device.upload('f32', parametersOf(maps.one)),
    unit: true,
  };
  const tokens = await uploadTokens(device, sets(queries));
  const projection = await device.upload('f32', weights.map);
  return () =>
    device.topCodesOfTokens(codes, { featureMap, tokens, projection, means: null }, 100, 20);
}

describe('a worker that dies with a block of a step, for which the other waits', () => {
  test.each([0, 1, 2, 3, 4])('fails the call at step %i, and later ones work', async (step) => {
    const fragile = new Fragile();
    opened = await fragile.open();
    const start = await search(opened);
    const expected = await start();
    for (const spawned of [4, 6]) {
      fragile.step = step;
      const outcomes = await Promise.allSettled([start()]);
      expect(outcomes[0]).toMatchObject({ reason: { code: 'worker-failed' } });
      expect(await Promise.all([start(), start()])).toEqual([expected, expected]);
      expect(fragile.spawned).toBe(spawned);
    }
  });
});
