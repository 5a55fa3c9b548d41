import { expect, test } from 'vitest';
import type { SearchDevice } from '../../src/device/device.js';
import { isQuicker, measureSpeed } from '../../src/device/device-speed.js';

/** A device whose calls take so many milliseconds, and more for each document. */
function deviceTaking(call: number, document: number) {
  let clock = 0;
  const held = { freed: 0, made: 0 };
  const make = async () => {
    held.made++;
    return { id: held.made, dtype: 'f32', length: 1 };
  };
  const device = {
    upload: make,
    allocate: make,
    read: async () => new Float32Array(1),
    free(...tensors: unknown[]) {
      held.freed += tensors.length;
    },
    async maxSim(_queries: unknown, documents: { documentCount: number }) {
      clock += call + document * documents.documentCount;
    },
  } as unknown as SearchDevice;
  return { device, held, now: () => clock };
}

test('the speed of a device is what a call takes, and what its work adds', async () => {
  const { device, held, now } = deviceTaking(3, 0.5);
  const speed = await measureSpeed(device, now);
  expect(speed.callMs).toBeCloseTo(3.5, 9);
  // for each document of 32 tokens, against 32 tokens, in 128 dimensions
  expect(speed.perWorkMs * 2 * 32 * 32 * 128).toBeCloseTo(0.5, 9);
  expect(held.freed).toBe(held.made);
});

test('of two devices one is quicker for little work, the other for much', () => {
  const near = { callMs: 0.1, perWorkMs: 1e-7 };
  const strong = { callMs: 2, perWorkMs: 1e-9 };
  expect(isQuicker(strong, near, 1e6)).toBe(false);
  expect(isQuicker(strong, near, 1e9)).toBe(true);
  expect(isQuicker(strong, near, Infinity)).toBe(true);
  expect(isQuicker(near, near, 1e9)).toBe(false);
});
