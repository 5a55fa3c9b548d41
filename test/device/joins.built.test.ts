import { describe, expect, test } from 'vitest';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';

const names: readonly CpuDeviceName[] = [
  'plain',
  'one thread',
  'two threads',
  'five threads',
  'unshared memory',
];
const device = cpuDevicesFor(names);

describe.each(names)('a device: %s', (name) => {
  test('joins nothing to an empty tensor, and joins to one of their parts', async () => {
    const one = device(name);
    const none = await one.join('f32', []);
    expect(none.length).toBe(0);
    expect(await one.read(none)).toEqual(new Float32Array());
    const [a, b] = [
      await one.upload('i8', Int8Array.of(1, 2)),
      await one.upload('i8', Int8Array.of(3)),
    ];
    const inner = await one.join('i8', [a, b]);
    const outer = await one.join('i8', [inner, await one.join('i8', []), a]);
    one.free(inner);
    expect(await one.read(outer)).toEqual(Int8Array.of(1, 2, 3, 1, 2));
    expect(await one.read(outer, 2, 4)).toEqual(Int8Array.of(3, 1));
    one.free(outer);
    expect(await one.read(a)).toEqual(Int8Array.of(1, 2));
    await expect(one.read(outer)).rejects.toMatchObject({ code: 'closed' });
    await expect(one.join('i8', [inner])).rejects.toMatchObject({ code: 'closed' });
  });

  test('refuses parts of another type, and writing where a tensor has no memory of its own', async () => {
    const one = device(name);
    const part = await one.upload('i8', Int8Array.of(1, 2));
    await expect(one.join('f32', [part as never])).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'parts: expected tensors of f32, got one of i8',
    });
    await expect(one.write(await one.join('i8', [part]), Int8Array.of(5))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    expect(await one.read(part)).toEqual(Int8Array.of(1, 2));
  });
});
