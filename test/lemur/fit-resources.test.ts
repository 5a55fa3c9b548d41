import { describe, expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import type { Device, Tensor } from '../../dist/device/device.js';
import { type FitOptions, Lemur } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { randomTexts } from '../numbers.js';
import { QUICK, small, smallQueries } from './corpus.js';

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dtype' in value;
}

/** A device that counts the tensors it has given out and not got back. */
function counting(device: Device): { device: Device; kept: Set<number> } {
  const kept = new Set<number>();
  const keep = <T extends Tensor>(tensor: T): T => {
    kept.add(tensor.id);
    return tensor;
  };
  return {
    kept,
    device: {
      ...device,
      upload: async (dtype, data) => keep(await device.upload(dtype, data)),
      allocate: async (dtype, length) => keep(await device.allocate(dtype, length)),
      async createTraining(...sizes) {
        const training = await device.createTraining(...sizes);
        for (const part of Object.values(training)) if (isTensor(part)) keep(part);
        return training;
      },
      async encodeRows(...args) {
        const codes = await device.encodeRows(...args);
        for (const part of Object.values(codes)) if (isTensor(part)) keep(part);
        return codes;
      },
      free(...tensors) {
        for (const { id } of tensors) kept.delete(id);
        device.free(...tensors);
      },
    },
  };
}

describe('what a fit takes from the device', () => {
  test('it gives back: all when closed, all but model, weights, sample, features and factor when done', async () => {
    const { device, kept } = counting(await createCpuDevice(nodePlatform, 2));
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
    const { device, kept } = counting(await createCpuDevice(nodePlatform, 1));
    const methods = [
      'upload',
      'allocate',
      'write',
      'read',
      'targets',
      'createTraining',
      'trainStep',
      'loss',
      'features',
      'gram',
      'cholesky',
      'documentWeights',
    ] as const;
    let calls = 0;
    let abortAt = Infinity;
    let controller = new AbortController();
    const reason = new Error('enough');
    const watched: Device = { ...device };
    for (const method of methods) {
      const call = device[method] as (...args: unknown[]) => Promise<unknown>;
      Object.assign(watched, {
        [method](...args: unknown[]) {
          if (++calls === abortAt) controller.abort(reason);
          return call(...args);
        },
      });
    }
    const options: FitOptions = { ...QUICK, epochs: 1, device: watched, test: smallQueries };
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
    const { device, kept } = counting(await createCpuDevice(nodePlatform, 1));
    for (const method of [
      'targets',
      'trainStep',
      'loss',
      'features',
      'gram',
      'cholesky',
      'documentWeights',
    ] as const) {
      const failure = new Error(`no ${method}`);
      const broken: Device = { ...device, [method]: () => Promise.reject(failure) };
      await expect(Lemur.fit(small, { ...QUICK, device: broken, test: smallQueries })).rejects.toBe(
        failure,
      );
      expect(kept.size, method).toBe(0);
    }
    await device.close();
  });

  test('the first stage gives back what it took as well: when closed, when the device fails, when aborted', async () => {
    const { device, kept } = counting(await createCpuDevice(nodePlatform, 2));
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
