import { afterEach, describe, expect, test, vi } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { plainPlatform } from '../../dist/device/cpu/plain-platform.js';
import { inProcessWorker } from '../../dist/device/cpu/worker/in-process-worker.js';
import type { Platform, WorkerPort } from '../../dist/platform.js';

afterEach(() => void vi.useRealTimers());

/** Workers that never answer; `terminated` counts those that were ended. */
function silent(): Platform & { terminated: number; kill: ((cause: unknown) => void)[] } {
  const platform = {
    ...plainPlatform,
    terminated: 0,
    kill: [] as ((cause: unknown) => void)[],
    spawnWorker: (): WorkerPort => ({
      post() {},
      listen(_onMessage, onDeath) {
        platform.kill.push(onDeath);
      },
      keepAlive() {},
      async terminate() {
        platform.terminated++;
      },
    }),
  };
  return platform;
}

describe('a device whose worker', () => {
  test('never answers is given up with worker-failed', async () => {
    vi.useFakeTimers();
    const platform = silent();
    const outcome = createCpuDevice(platform).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(61_000);
    expect(await outcome).toMatchObject({
      code: 'worker-failed',
      message: 'no worker answered within 60 s',
    });
    expect(platform.terminated).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('cannot be started rejects with the reason, and leaves no worker and no timer behind', async () => {
    vi.useFakeTimers();
    const platform = silent();
    const outcome = createCpuDevice(platform).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(0);
    platform.kill[0](new Error('its script could not be loaded'));
    expect(await outcome).toMatchObject({
      code: 'worker-failed',
      message: 'a worker thread ended: its script could not be loaded',
    });
    expect(platform.terminated).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a worker without a thread', () => {
  test('dies of what it cannot do, like one with a thread, and says nothing more', async () => {
    const port = inProcessWorker();
    const heard: unknown[] = [];
    const death = new Promise((resolve) => port.listen((message) => heard.push(message), resolve));
    port.post({ type: 'start', module: null, relaxed: null, memory: null, guardScratch: false });
    port.post({
      type: 'read',
      request: 1,
      tensor: { id: 99, dtype: 'f32', length: 1 },
      from: 0,
      to: 1,
    });
    port.post({ type: 'run', job: 2 });
    expect(await death).toMatchObject({ message: 'tensor 99 is not on this worker' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard).toEqual([{ type: 'started' }]);
  });

  test('leaves the thread to others between two blocks', async () => {
    const device = await createCpuDevice(plainPlatform);
    const z = await device.allocate('f32', 256 * 256);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const done: number[] = [];
    await device.gram(z, 256, 256, { onProgress: (progress) => done.push(progress.done) });
    clearInterval(timer);
    expect(done.length).toBeGreaterThan(2);
    expect(turns).toBeGreaterThan(0);
    await device.close();
  });
});
