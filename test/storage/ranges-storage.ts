import { setImmediate } from 'node:timers/promises';
import type { ReadableStorage } from '../../dist/entry/node.js';

/** A read of part of a file, or of all of it. */
export interface CountedRead {
  file: string;
  offset: number;
  length: number;
}

/** A storage that answers range reads alone, as a server does, and says which. */
export interface RangesStorage extends ReadableStorage {
  /** Every read so far. */
  readonly reads: CountedRead[];
  /** From now on reads do not settle. */
  hang(): void;
  /** From now on a byte of a file is another one. */
  damage(file: string, at: number): void;
}

/** The files of another one. Answers come later than they are asked for, and in any order. */
export function rangesStorage(of: ReadableStorage): RangesStorage {
  const reads: CountedRead[] = [];
  const damaged = new Map<string, number[]>();
  let hangs = false;
  const answer = async (
    file: string,
    offset: number,
    bytes: Promise<Uint8Array>,
  ): Promise<Uint8Array> => {
    const own = (await bytes).slice();
    reads.push({ file, offset, length: own.length });
    if (hangs) return new Promise(() => {});
    for (let turn = reads.length % 3; turn > 0; turn--) await setImmediate();
    for (const at of damaged.get(file) ?? [])
      if (at >= offset && at < offset + own.length) own[at - offset] ^= 1;
    return own;
  };
  return {
    name: 'ranges',
    reads,
    hang: () => {
      hangs = true;
    },
    damage: (file, at) => void damaged.set(file, [...(damaged.get(file) ?? []), at]),
    read: (file) => answer(file, 0, of.read(file)),
    async open(file) {
      const opened = await of.open(file);
      return {
        name: file,
        size: opened.size,
        read: (offset, length) => answer(file, offset, opened.read(offset, length)),
        close: () => opened.close(),
      };
    },
  };
}
