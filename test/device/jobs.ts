import { afterEach, expect } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { Device } from '../../dist/device/device.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import type { Progress } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import type { Platform } from '../../dist/platform.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';
import { numbers, randomTexts } from '../numbers.js';

/** Opens devices for one test, and closes them after it. */
export function opener(): (
  threads: number,
  shared?: boolean,
  spawnWorker?: Platform['spawnWorker'],
) => Promise<Device> {
  const opened: Device[] = [];
  afterEach(async () => {
    for (const device of opened.splice(0)) await device.close();
  });
  return async (threads, shared = true, spawnWorker = nodePlatform.spawnWorker) => {
    const device = await createCpuDevice(
      { ...nodePlatform, sharedMemory: shared, spawnWorker },
      threads,
    );
    opened.push(device);
    return device;
  };
}

/**
 * Targets against 200 documents of 40 tokens: blocks of 256 rows that take some 5 milliseconds
 * each.
 */
export async function longJob(device: Device, rows = 1024) {
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

export function expectGrowing(seen: readonly Progress[]): void {
  for (const [i, { done, total }] of seen.entries()) {
    expect(total).toBe(seen[0].total);
    expect(done).toBeLessThanOrEqual(total);
    if (i > 0) expect(done).toBeGreaterThanOrEqual(seen[i - 1].done);
  }
}
