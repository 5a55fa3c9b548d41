import { describe, expect, test } from 'vitest';
import { randomLayout } from '../../dist/device/feature-layout.js';
import { isLemurError, type Progress } from '../../dist/entry/node.js';
import { expectGrowing, longJob, opener } from './jobs.js';

const open = opener();

const settings: [string, number, boolean][] = [
  ['one thread', 1, true],
  ['two threads', 2, true],
  ['unshared memory', 1, false],
];

describe.each(settings)('a device of %s', (_name, threads, shared) => {
  test('that is closed during a job lets it reject with closed, and every later one', async () => {
    const device = await open(threads, shared);
    const { start } = await longJob(device);
    const job = start();
    const outcome = job.catch((error: unknown) => error);
    await device.close();
    expect(isLemurError(await outcome, 'closed')).toBe(true);
    await expect(start()).rejects.toMatchObject({ code: 'closed' });
    await device.close();
  });

  test('stops a job in its middle when the signal says so, with the signal’s own reason, and works afterwards', async () => {
    const device = await open(threads, shared);
    const { start, blocks } = await longJob(device, 8192);
    const expected = await start();
    const controller = new AbortController();
    const reason = new Error('enough');
    const seen: Progress[] = [];
    const timer = setTimeout(() => controller.abort(reason), 1);
    await expect(
      start({ signal: controller.signal, onProgress: (progress) => seen.push({ ...progress }) }),
    ).rejects.toBe(reason);
    clearTimeout(timer);
    expect(seen.every(({ done }) => done < blocks)).toBe(true);
    expect(await start()).toEqual(expected);
  });

  test('does not begin when the signal was aborted before', async () => {
    const device = await open(threads, shared);
    const { start } = await longJob(device);
    const reason = { why: 'never wanted' };
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => seen.push(progress);
    await expect(start({ signal: AbortSignal.abort(reason), onProgress })).rejects.toBe(reason);
    expect(seen).toEqual([]);
  });

  test('an abort after the end does nothing', async () => {
    const device = await open(threads, shared);
    const { start } = await longJob(device);
    const controller = new AbortController();
    const expected = await start({ signal: controller.signal });
    controller.abort();
    expect(await start()).toEqual(expected);
  });

  test('reports what goes wrong in a worker, with its cause, and works afterwards', async () => {
    const device = await open(threads, shared);
    const { start } = await longJob(device);
    const layout = randomLayout(4, 8, 'gelu');
    const map = { layout, parameters: await device.allocate('f32', 32) };
    const x = await device.allocate('f32', 400);
    const out = await device.allocate('f32', 800);
    // a handle that promises more values than any buffer has
    const lying = { ...out, length: 2 ** 45 };
    const error: unknown = await device.features(map, x, 100, lying).catch((e: unknown) => e);
    expect(error).toMatchObject({
      name: 'LemurError',
      code: 'worker-failed',
      fields: { where: 'worker' },
    });
    const { cause } = error as Error;
    expect(cause).toBeInstanceOf(Error);
    expect((error as Error).message).toContain((cause as Error).message);
    expect((cause as Error).stack).toMatch(/worker|features/);
    await start();
  });

  test('runs jobs that are asked for at once without mixing them up', async () => {
    const device = await open(threads, shared);
    const { start } = await longJob(device);
    const expected = await start();
    expect(await Promise.all([start(), start(), start()])).toEqual([expected, expected, expected]);
  });

  test('tells of progress that grows up to the total', async () => {
    const device = await open(threads, shared);
    const { start, blocks } = await longJob(device);
    const seen: Progress[] = [];
    await start({ onProgress: (progress) => seen.push({ ...progress }) });
    expect(seen.at(-1)).toEqual({ stage: 'targets', done: blocks, total: blocks });
    expectGrowing(seen);
  });
});
