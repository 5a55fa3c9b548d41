import { afterEach, expect, test, vi } from 'vitest';
import { createCpuDevice } from '../../src/device/cpu/cpu-device.js';
import { plainPlatform } from '../../src/device/cpu/plain-platform.js';
import type { Platform } from '../../src/platform.js';

afterEach(() => vi.unstubAllGlobals());

test('where no memory of any size can be had, the error says so', async () => {
  class NoMemory {
    constructor() {
      throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    }
  }
  vi.stubGlobal('WebAssembly', { ...WebAssembly, Memory: NoMemory });
  const shared: Platform = { ...plainPlatform, sharedMemory: true };
  await expect(createCpuDevice(shared, 1)).rejects.toMatchObject({
    name: 'LemurError',
    code: 'unsupported',
    message: expect.stringContaining('64 MiB of address space could not be reserved'),
    cause: expect.any(RangeError),
  });
});

test('values that no buffer has room for are refused', async () => {
  const device = await createCpuDevice(plainPlatform, 1);
  await expect(device.allocate('f32', 2 ** 51)).rejects.toMatchObject({
    code: 'invalid-argument',
    fields: { where: 'memory' },
  });
  await device.close();
});
