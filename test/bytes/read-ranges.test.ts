import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../src/bytes/byte-source.js';
import { joinRanges, readRanges } from '../../src/bytes/read-ranges.js';
import { counted } from './counted-source.js';

const FILE = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31 + (i >> 8)) & 255);

/** Ascending ranges of the file, some of them empty, some next to each other. */
const ranges = fc.array(fc.tuple(fc.nat(60), fc.nat(40)), { maxLength: 60 }).map((steps) => {
  let at = 0;
  return steps.map(([gap, length]) => {
    const from = at + gap;
    at = from + length;
    return { from, to: at };
  });
});

describe('ranges of a file', () => {
  test('are joined where little lies between them, in their order, and not into long ones', () => {
    fc.assert(
      fc.property(ranges, fc.nat(50), fc.integer({ min: 1, max: 200 }), (some, gap, longest) => {
        const joined = joinRanges(some, gap, longest);
        expect(joined.flatMap(({ first, last }) => some.slice(first, last))).toEqual(some);
        for (const { from, to, first, last } of joined) {
          expect([from, to]).toEqual([some[first].from, some[last - 1].to]);
          expect(last - first === 1 || to - from <= longest).toBe(true);
          for (let i = first + 1; i < last; i++)
            expect(some[i].from - some[i - 1].to).toBeLessThanOrEqual(gap);
        }
      }),
    );
  });

  test('are each given their bytes, once', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, async (some) => {
        const got = new Map<number, Uint8Array>();
        await readRanges(bytesSource(FILE), some, undefined, (bytes, i) => {
          expect(got.has(i)).toBe(false);
          got.set(i, bytes);
        });
        expect(got.size).toBe(some.length);
        for (const [i, { from, to }] of some.entries())
          expect(got.get(i)).toEqual(FILE.subarray(from, to));
      }),
    );
  });

  test('that lie close together take one read', async () => {
    const source = counted(bytesSource(FILE));
    const some = [0, 100, 2000, 4990].map((from) => ({ from, to: from + 10 }));
    await readRanges(source, some, undefined, () => {});
    expect(source.reads).toEqual([[0, 5000]]);
  });

  test('are an error where one of them is cut short, and no more is asked for', async () => {
    const some = Array.from({ length: 40 }, (_, i) => ({ from: i << 20, to: (i << 20) + 10 }));
    const source = counted({
      name: 'm.bin',
      size: 2 ** 30,
      read: async (_offset, length) => new Uint8Array(length - 1),
    });
    await expect(readRanges(source, some, undefined, () => {})).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(/^m\.bin: 9 bytes at byte \d+, expected 10/),
    });
    const asked = source.reads.length;
    expect(asked).toBeLessThan(some.length);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(source.reads.length).toBe(asked);
  });

  test('are read no further once the signal has aborted', async () => {
    const controller = new AbortController();
    const some = Array.from({ length: 40 }, (_, i) => ({ from: i << 20, to: (i << 20) + 10 }));
    const source = counted({
      name: 'm.bin',
      size: 2 ** 30,
      async read(_offset, length) {
        controller.abort('enough');
        return new Uint8Array(length);
      },
    });
    await expect(readRanges(source, some, controller.signal, () => {})).rejects.toBe('enough');
    expect(source.reads.length).toBeLessThan(some.length);
  });
});
