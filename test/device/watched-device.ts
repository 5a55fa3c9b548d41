import type { Device } from '../../dist/device/device.js';
import { codeTensors } from '../../dist/device/device-codes.js';
import type { Tensor } from '../../dist/device/memory.js';

/**
 * A device that counts what it has given out and not got back; `before` hears of every call by its
 * name, those of trainings and matrices included, and may throw.
 */
export function watchedDevice(
  device: Device,
  before: (call: string) => void = () => {},
): { device: Device; kept: Set<unknown> } {
  const kept = new Set<unknown>();
  const keep = <T extends Tensor>(tensor: T): T => {
    kept.add(tensor.id);
    return tensor;
  };
  const watched = { ...device } as Device;
  for (const [name, call] of Object.entries(device)) {
    if (typeof call !== 'function' || name === 'free' || name === 'close') continue;
    Object.assign(watched, {
      async [name](...args: unknown[]) {
        before(name);
        return call(...args);
      },
    });
  }
  const own = { ...watched };
  Object.assign(watched, {
    upload: async (...args: Parameters<Device['upload']>) => keep(await own.upload(...args)),
    allocate: async (...args: Parameters<Device['allocate']>) => keep(await own.allocate(...args)),
    join: async (...args: Parameters<Device['join']>) => keep(await own.join(...args)),
    async encodeRows(...args: Parameters<Device['encodeRows']>) {
      const codes = await own.encodeRows(...args);
      for (const tensor of codeTensors(codes)) keep(tensor);
      return codes;
    },
    createTraining: async (...args: Parameters<Device['createTraining']>) =>
      watchedHandle(await own.createTraining(...args), kept, before),
    gram: async (...args: Parameters<Device['gram']>) =>
      watchedHandle(await own.gram(...args), kept, before),
    uploadMatrix: async (...args: Parameters<Device['uploadMatrix']>) =>
      watchedHandle(await own.uploadMatrix(...args), kept, before),
    free(...tensors: Tensor[]) {
      for (const { id } of tensors) kept.delete(id);
      device.free(...tensors);
    },
  });
  return { device: watched, kept };
}

/** The same handle, since the device must know it again, with methods of its own. */
function watchedHandle<T extends { close(): void }>(
  handle: T,
  kept: Set<unknown>,
  before: (call: string) => void,
): T {
  kept.add(handle);
  const members = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(handle));
  for (const [name, { value: call }] of Object.entries(members)) {
    if (name === 'constructor' || typeof call !== 'function') continue;
    Object.assign(handle, {
      [name](...args: unknown[]) {
        if (name === 'close') kept.delete(handle);
        else before(name);
        return call.apply(handle, args);
      },
    });
  }
  return handle;
}
