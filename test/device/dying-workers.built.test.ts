import { expect, test } from 'vitest';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { longJob, opener } from './jobs.js';

const open = opener();

/** A device whose workers' deaths can be told. */
async function mortal(threads: number, shared: boolean, spawn = nodePlatform.spawnWorker) {
  const deaths: ((cause: unknown) => void)[] = [];
  const device = await open(threads, shared, () => {
    const port = spawn();
    return {
      post: (message, transfer) => port.post(message, transfer),
      listen(onMessage, onDeath) {
        deaths.push(onDeath);
        port.listen(onMessage, onDeath);
      },
      keepAlive: (alive) => port.keepAlive(alive),
      terminate: () => port.terminate(),
    };
  });
  return { device, deaths };
}

test('a worker that dies takes the jobs under way with it, as worker-failed, and later ones get new workers that know all tensors', async () => {
  const { device, deaths } = await mortal(2, true);
  const { start } = await longJob(device);
  const part = await device.upload('f32', Float32Array.of(1, 2));
  const joined = await device.join('f32', [part, await device.upload('f32', Float32Array.of(3))]);
  const gone = await device.upload('f32', Float32Array.of(4));
  const expected = await start();
  const cause = new Error('out of memory');
  /** A job whose worker dies while it computes. */
  const interrupted = (worker: number): Promise<unknown> =>
    new Promise((resolve) => {
      let killed = false;
      const onProgress = (): void => {
        if (!killed) queueMicrotask(() => deaths[worker](cause));
        killed = true;
      };
      start({ onProgress }).then(resolve, resolve);
    });
  const outcome = interrupted(1);
  expect(await outcome).toMatchObject({
    code: 'worker-failed',
    message: expect.stringContaining('out of memory'),
    cause,
  });
  expect(device.closed).toBe(false);
  // what changes meanwhile is known to the new ones too
  device.free(gone);
  const later = await device.upload('f32', Float32Array.of(5));
  expect(await start()).toEqual(expected);
  expect(deaths).toHaveLength(4);
  expect([...(await device.read(joined)), ...(await device.read(later))]).toEqual([1, 2, 3, 5]);
  // and they may die as well
  expect(await interrupted(2)).toMatchObject({ code: 'worker-failed' });
  expect(await Promise.all([start(), start()])).toEqual([expected, expected]);
  expect(deaths).toHaveLength(6);
});

test('workers that cannot be started anew fail the call, and the next one tries again', async () => {
  let spawned = 0;
  const { device, deaths } = await mortal(1, true, () => {
    // the second one dies before it answers
    if (++spawned !== 2) return nodePlatform.spawnWorker();
    return {
      post: () => {},
      listen: (_, onDeath) => queueMicrotask(() => onDeath(new Error('no threads left'))),
      keepAlive: () => {},
      terminate: async () => {},
    };
  });
  const { start } = await longJob(device, 256);
  deaths[0](new Error('killed'));
  await expect(start()).rejects.toMatchObject({
    code: 'worker-failed',
    message: expect.stringContaining('no threads left'),
  });
  await expect(start()).resolves.toBeDefined();
  expect(spawned).toBe(3);
});

test('a worker that dies with its memory takes the device with it', async () => {
  const { device, deaths } = await mortal(1, false);
  const { start } = await longJob(device, 256);
  const cause = new Error('killed');
  deaths[0](cause);
  await expect(start()).rejects.toMatchObject({ code: 'worker-failed', cause });
  expect(device.closed).toBe(true);
});

test('close while workers are being started anew rejects what waits for them', async () => {
  const { device, deaths } = await mortal(2, true);
  const { start } = await longJob(device, 256);
  deaths[0](new Error('killed'));
  const outcome = start().catch((error: unknown) => error);
  await device.close();
  expect(await outcome).toMatchObject({ code: 'closed' });
});
