import type { Random } from '../../mutations.js';
import type { Target } from '../harness.js';

export const WHERE = 'input';

/** A reader of bytes; `read` also checks what must hold of what it accepts. */
export function reader(
  name: string,
  make: (random: Random) => Uint8Array,
  read: (input: Uint8Array, random: Random) => unknown,
): Target {
  return {
    name,
    open: async () => ({
      once(random) {
        const input = make(random);
        return {
          size: input.length,
          read: () => read(input, random),
          show: () => Buffer.from(input).toString('base64'),
        };
      },
    }),
  };
}

export function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(`accepted, but ${what}`);
}

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, length) => size * length, 1);
export const sameBytes = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
