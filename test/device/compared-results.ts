import { expect } from 'vitest';
import type { CpuArray } from '../../dist/device/cpu/cpu-tensor.js';
import type { SearchDevice } from '../../dist/device/device.js';
import { bytesOf, relativeError } from '../numbers.js';

/** What each device made, for the comparison of bytes at the end. */
export class ComparedResults<D extends SearchDevice> {
  readonly #made = new Map<string, Map<string, CpuArray>>();
  readonly #device: (name: string) => D;

  constructor(device: (name: string) => D) {
    this.#device = device;
  }

  /** Runs one computation on a device, and keeps its results under `what`. */
  async on<T extends { [part in keyof T]: CpuArray }>(
    name: string,
    what: string,
    compute: (device: D) => Promise<T>,
  ): Promise<T> {
    const results = await compute(this.#device(name));
    for (const [part, values] of Object.entries<CpuArray>(results)) {
      const key = `${what}: ${part}`;
      if (!this.#made.has(key)) this.#made.set(key, new Map());
      this.#made.get(key)?.set(name, values);
    }
    return results;
  }

  /** All results of the devices `same` have the same bytes, those of `close` the same numbers. */
  async expectSame(same: readonly string[], close: readonly string[]): Promise<void> {
    expect(this.#made.size).toBeGreaterThan(5);
    for (const [what, by] of this.#made) {
      const of = (name: string): CpuArray => by.get(name) as CpuArray;
      const hashes = await Promise.all(same.map((name) => bytesOf(of(name))));
      expect(new Set(hashes).size, what).toBe(1);
      // Adam's first steps are signs of gradients, which may be tiny
      const tolerance = what.startsWith('training') ? 2e-3 : 1e-5;
      for (const name of close)
        expect(relativeError(of(same[0]), of(name)), what).toBeLessThan(tolerance);
    }
  }
}
