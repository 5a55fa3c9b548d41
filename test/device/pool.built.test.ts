import { afterEach, describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { Device } from '../../dist/device/device.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { randomLayout } from '../../dist/device/feature-layout.js';
import { isLemurError, Lemur, type Progress } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { bytesOf, numbers, randomTexts } from '../numbers.js';
import { built, LEMUR, runScript, runScriptWith } from '../run-script.js';

const DOCUMENTS = `
  const vectors = Float32Array.from({ length: 600 * 32 }, (_, i) => Math.sin(i * i + 1));
  const documents = { vectors, counts: new Array(60).fill(10), dim: 32 };`;
const OPTIONS = '{ finalHiddenDim: 64, epochs: 3 }';

describe('a script', () => {
  test('that never calls close() ends by itself', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { Lemur, MaxSim } from ${LEMUR};
      ${DOCUMENTS}
      const lemur = await Lemur.fit(documents, ${OPTIONS});
      const exact = await MaxSim.create(documents);
      const queries = [[[...vectors.subarray(0, 32)]]];
      const { indices } = await exact.rerankSubset(queries, 1, await lemur.candidates(queries, 20));
      console.log(indices[0]);`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '0', stderr: '' });
  });

  test.each(['threads: 1', 'threads: 2'])(
    'whose last statement is a job that nobody awaits still finishes it, %s',
    async (threads) => {
      const { code, stdout, stderr } = await runScript(`
      import { Lemur } from ${LEMUR};
      ${DOCUMENTS}
      Lemur.fit(documents, { ...${OPTIONS}, ${threads} })
        .then((lemur) => lemur.candidates(documents, 3))
        .then(({ indices }) => console.log('found', indices.length));`);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'found 180', stderr: '' });
    },
  );

  // V8 needs SSE4.1 for WASM SIMD, and can be told that a processor lacks it
  test.runIf(process.arch === 'x64')(
    'without WASM SIMD warns once and finds the same with the plain kernels',
    async () => {
      const source = `
      import { Lemur } from ${LEMUR};
      ${DOCUMENTS}
      const lemur = await Lemur.fit(documents, { finalHiddenDim: 16, epochs: 0, olsSampleSize: 100, threads: 2 });
      await Lemur.fit(documents, { finalHiddenDim: 16, epochs: 0, olsSampleSize: 100, threads: 1 });
      const { indices } = await lemur.candidates([[[...vectors.subarray(0, 32)]]], 5);
      console.log([...indices].join());`;
      const plain = await runScriptWith(['--no-enable-sse4-1'], source);
      const fast = await runScript(source);
      expect(plain.stderr).toMatch(
        /^lemur: WebAssembly SIMD is missing here \(.*\); the plain kernels are many times slower$/,
      );
      expect(fast.stderr).toBe('');
      expect({ ...plain, stderr: '' }).toEqual(fast);
    },
  );

  test('on unshared memory finishes its jobs and ends too', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { createCpuDevice } from ${built('device/cpu/cpu-device.js')};
      import { nodePlatform } from ${built('entry/node-platform.js')};
      import { Lemur } from ${LEMUR};
      ${DOCUMENTS}
      const device = await createCpuDevice({ ...nodePlatform, sharedMemory: false });
      Lemur.fit(documents, { ...${OPTIONS}, device }).then((lemur) => console.log('fitted', lemur.documents));`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'fitted 60', stderr: '' });
  });

  test('that idles between two jobs can go on', async () => {
    const { code, stdout } = await runScript(`
      import { MaxSim } from ${LEMUR};
      ${DOCUMENTS}
      const exact = await MaxSim.create(documents);
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 150));
        console.log((await exact.score([[[...vectors.subarray(0, 32)]]])).length);
      }`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '60\n60\n60' });
  });
});

const opened: Device[] = [];
const open = async (threads: number, shared = true): Promise<Device> => {
  const device = await createCpuDevice({ ...nodePlatform, sharedMemory: shared }, threads);
  opened.push(device);
  return device;
};
afterEach(async () => {
  for (const device of opened.splice(0)) await device.close();
});

/**
 * Targets against 200 documents of 40 tokens: blocks of 256 rows that take some 5 milliseconds
 * each.
 */
async function longJob(device: Device, rows = 1024) {
  const dim = 64;
  const texts = randomTexts(1, new Array(200).fill(40), dim);
  const counts = Int32Array.from(texts.counts);
  const documents = await uploadTokens(device, { ...texts, counts, offsets: rowOffsets(counts) });
  const x = await device.upload('f32', numbers(2).floats(rows * dim));
  const out = await device.allocate('f32', rows * 200);
  return {
    blocks: rows / 256,
    start: (options: { signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {}) =>
      device.targets(x, rows, documents, null, out, options),
  };
}

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

function expectGrowing(seen: readonly Progress[]): void {
  for (const [i, { done, total }] of seen.entries()) {
    expect(total).toBe(seen[0].total);
    expect(done).toBeLessThanOrEqual(total);
    if (i > 0) expect(done).toBeGreaterThanOrEqual(seen[i - 1].done);
  }
}

/** A device whose workers' deaths can be told. */
async function mortal(threads: number, shared: boolean, spawn = nodePlatform.spawnWorker) {
  const deaths: ((cause: unknown) => void)[] = [];
  const device = await createCpuDevice(
    {
      ...nodePlatform,
      sharedMemory: shared,
      spawnWorker() {
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
      },
    },
    threads,
  );
  opened.push(device);
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

describe('Lemur on the pool', () => {
  const documents = randomTexts(
    3,
    new Array(120).fill(0).map((_, i) => 5 + (i % 30)),
    48,
  );
  const queries = randomTexts(4, [5, 1, 12], 48);
  const options = { finalHiddenDim: 96, epochs: 4, batchSize: 128 };

  test('two fits at once and one after the other give the same bytes', async () => {
    const one = await Lemur.fit(documents, options);
    const both = await Promise.all([
      Lemur.fit(documents, options),
      Lemur.fit(documents, { ...options, seed: 1 }),
    ]);
    const [expected, same, other] = await Promise.all(
      [one, ...both].map(async (lemur) => bytesOf(await lemur.W)),
    );
    expect(same).toBe(expected);
    expect(other).not.toBe(expected);
  });

  test('a hundred calls at once get what one gets', async () => {
    const lemur = await Lemur.fit(documents, { ...options, epochs: 0 });
    const expected = await lemur.candidates(queries, 7);
    const found = await Promise.all(
      Array.from({ length: 100 }, () => lemur.candidates(queries, 7)),
    );
    for (const one of found) expect(one).toEqual(expected);
  });

  test('the event loop stays free during a fit', { retry: 2 }, async () => {
    // a process of its own: the loop of the tests belongs to their runner as well
    const { code, stdout } = await runScript(`
      import { Lemur } from ${LEMUR};
      const vectors = Float32Array.from({ length: 8000 * 64 }, (_, i) => Math.sin(i * i + 1));
      const documents = { vectors, counts: new Array(400).fill(20), dim: 64 };
      let last = performance.now();
      let longest = 0;
      let ticks = 0;
      const timer = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
        ticks++;
      }, 10);
      const started = performance.now();
      await Lemur.fit(documents, { finalHiddenDim: 512, epochs: 1, trainSubsetSize: 128, olsSampleSize: 4096 });
      clearInterval(timer);
      console.log(JSON.stringify({ longest, ticks, ms: performance.now() - started }));`);
    expect(code).toBe(0);
    const { longest, ticks } = JSON.parse(stdout) as { longest: number; ticks: number };
    expect(ticks).toBeGreaterThan(5);
    expect(longest).toBeLessThan(250);
  });

  test('tells of the progress of every stage, growing up to its total', async () => {
    const seen: Progress[] = [];
    await Lemur.fit(documents, {
      ...options,
      onProgress: (progress) => seen.push({ ...progress }),
    });
    const stages = [...new Set(seen.map(({ stage }) => stage))];
    expect(stages).toEqual(expect.arrayContaining(['targets', 'train', 'document weights']));
    // one stage follows the other
    expect(seen.map(({ stage }) => stage)).toEqual(
      stages.flatMap((stage) => seen.filter((p) => p.stage === stage).map(() => stage)),
    );
    for (const stage of stages) {
      const own = seen.filter((progress) => progress.stage === stage);
      expectGrowing(own);
      expect(own.at(-1)?.done).toBe(own[0].total);
    }
  });
});
