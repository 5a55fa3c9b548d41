import { describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { Device } from '../../dist/device/device.js';
import { type FitOptions, Lemur } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { watchedDevice } from '../device/watched-device.js';
import { randomTexts } from '../numbers.js';
import { QUICK, small, smallQueries } from './corpus.js';

describe('what a fit takes from the device', () => {
  test('it gives back: all when closed, all but model, weights, sample, features and factor when done', async () => {
    const { device, kept } = watchedDevice(await createCpuDevice(nodePlatform, 2));
    const lemur = await Lemur.fit(small, { ...QUICK, device, test: smallQueries });
    expect(kept.size).toBe(5);
    await lemur.candidates(smallQueries, 3);
    await lemur.computeFeatures(smallQueries);
    await lemur.computeWeights(smallQueries);
    expect(kept.size).toBe(5);
    lemur.close();
    expect(kept.size).toBe(0);
    await device.close();
  });

  // every call that a fit makes of the device, by its number: the abort comes while it runs
  test('it gives back when aborted, wherever it is, and rejects with the signal’s reason', async () => {
    const own = await createCpuDevice(nodePlatform, 1);
    let calls = 0;
    let abortAt = Infinity;
    let controller = new AbortController();
    const reason = new Error('enough');
    const { device, kept } = watchedDevice(own, () => {
      if (++calls === abortAt) controller.abort(reason);
    });
    const options: FitOptions = { ...QUICK, epochs: 1, device, test: smallQueries };
    (await Lemur.fit(small, { ...options, signal: controller.signal })).close();
    expect(kept.size).toBe(0);
    const all = calls;
    let aborted = 0;
    for (abortAt = 1; abortAt <= all; abortAt++) {
      calls = 0;
      controller = new AbortController();
      const outcome: unknown = await Lemur.fit(small, {
        ...options,
        signal: controller.signal,
      }).catch((error: unknown) => error);
      if (outcome === reason) aborted++;
      else (outcome as Lemur).close();
      expect(kept.size, `aborted in call ${abortAt} of ${all}`).toBe(0);
    }
    // an abort so late that nothing long follows may go unheard
    expect(aborted).toBeGreaterThan(all - 6);
    await device.close();
  });

  test('it gives back when the device fails, and rejects with the failure', async () => {
    let failing = '';
    const failure = new Error('no');
    const { device, kept } = watchedDevice(await createCpuDevice(nodePlatform, 1), (call) => {
      if (call === failing) throw failure;
    });
    for (failing of [
      'targets',
      'createTraining',
      'writeParameters',
      'steps',
      'loss',
      'readParameters',
      'features',
      'gram',
      'factorise',
      'documentWeights',
    ]) {
      await expect(Lemur.fit(small, { ...QUICK, device, test: smallQueries })).rejects.toBe(
        failure,
      );
      expect(kept.size, failing).toBe(0);
    }
    await device.close();
  });

  test('the first stage gives back what it took as well: when closed, when the device fails, when aborted', async () => {
    const { device, kept } = watchedDevice(await createCpuDevice(nodePlatform, 2));
    const many = randomTexts(
      9,
      Array.from({ length: 4200 }, (_, i) => 1 + (i % 2)),
      16,
    );
    const options: FitOptions = { ...QUICK, epochs: 0, olsSampleSize: 200, prefixDim: 8 };
    const lemur = await Lemur.fit(many, { ...options, device });
    expect(kept.size).toBe(9);
    await lemur.candidates(smallQueries, 3);
    expect(kept.size).toBe(9);
    lemur.close();
    expect(kept.size).toBe(0);

    const failure = new Error('no');
    for (const method of ['innerProducts', 'encodeRows'] as const) {
      const broken: Device = { ...device, [method]: () => Promise.reject(failure) };
      await expect(Lemur.fit(many, { ...options, device: broken }), method).rejects.toBe(failure);
      expect(kept.size, method).toBe(0);
    }
    for (const stopAt of [0, 1, 3]) {
      const controller = new AbortController();
      let reports = 0;
      const onProgress = ({ stage }: { stage: string }): void => {
        if (stage === 'first stage' && reports++ === stopAt) controller.abort(failure);
      };
      await expect(
        Lemur.fit(many, { ...options, device, onProgress, signal: controller.signal }),
      ).rejects.toBe(failure);
      expect(kept.size).toBe(0);
    }
    await device.close();
  });

  test('an aborted signal stops it before it begins', async () => {
    const reason = new Error('never');
    await expect(Lemur.fit(small, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
