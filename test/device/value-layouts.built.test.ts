import { afterAll, describe, expect, test } from 'vitest';
import type { CpuArray } from '../../dist/device/cpu/cpu-tensor.js';
import type { Device } from '../../dist/device/device.js';
import type { DeviceCodes } from '../../dist/device/device-codes.js';
import type { Tensor } from '../../dist/device/memory.js';
import { bytesOf, numbers } from '../numbers.js';
import { type CpuDeviceName, cpuDevicesFor } from './devices.js';
import { temporaryFiles } from './files.js';
import {
  codes,
  codesOf,
  DIM,
  everything,
  LATENT,
  offsets,
  PREFIX,
  ROWS,
  rowStarts,
  tokensOf,
  type Vectors,
  vectors,
} from './held-values.js';

const names: readonly CpuDeviceName[] = [
  'plain',
  'one thread',
  'two threads',
  'five threads',
  'unshared memory',
];
const reading = names.filter((name) => name !== 'plain');
const files = temporaryFiles();
// after the devices are closed
afterAll(() => files.remove());
const device = cpuDevicesFor(names);

/** Where a part's values lie. */
type Lies = 'memory' | 'file';
/** Ends of the parts, in rows, and where each lies. */
type Cut = (rows: number, starts: ArrayLike<number>) => { end: number; lies: Lies }[];
const after = (starts: ArrayLike<number>, texts: readonly number[], lies: (i: number) => Lies) =>
  texts.map((text, i) => ({ end: starts[text], lies: lies(i) }));
const last = (starts: ArrayLike<number>): number => starts.length - 1;
const alternating = (i: number): Lies => (i % 2 === 0 ? 'file' : 'memory');
/** The ways in which values lie; the first is one tensor, the others are concats. */
const cuts: Record<string, Cut> = {
  'in memory, three parts, one of them empty': (_, starts) =>
    after(starts, [9, 9, 40, last(starts)], () => 'memory'),
  'in memory, parts across texts': (rows) => [
    { end: 11, lies: 'memory' },
    { end: 31, lies: 'memory' },
    { end: rows, lies: 'memory' },
  ],
  'one file': (rows) => [{ end: rows, lies: 'file' }],
  'three files, one part empty': (_, starts) =>
    after(starts, [9, 9, 40, last(starts)], () => 'file'),
  'files and memory by turns': (_, starts) =>
    after(starts, [4, 17, 18, 33, 60, last(starts)], alternating),
  'a part for each text': (_, starts) =>
    after(
      starts,
      Array.from({ length: last(starts) }, (_, i) => i + 1),
      alternating,
    ),
  'parts across texts, files and memory': (rows) => [
    { end: 2, lies: 'memory' },
    { end: 7, lies: 'file' },
    { end: 29, lies: 'memory' },
    { end: rows, lies: 'file' },
  ],
};
const inMemory = Object.keys(cuts).filter((cut) => cut.startsWith('in memory'));

/** The values as one tensor, cut as the name says; a single part is attached as it is. */
async function laidOut<D extends 'f32' | 'i8'>(
  one: Device,
  dtype: D,
  values: CpuArray,
  starts: ArrayLike<number>,
  width: number,
  cut: string,
): Promise<Tensor<D>> {
  const parts: Tensor<D>[] = [];
  let from = 0;
  for (const { end, lies } of cuts[cut](starts[last(starts)], starts)) {
    const part = values.subarray(from * width, end * width);
    parts.push(
      lies === 'file'
        ? await one.attach(dtype, part.length, files.write(part as never))
        : await one.upload(dtype, part as never),
    );
    from = end;
  }
  return parts.length === 1 ? parts[0] : one.join(dtype, parts);
}

async function laidOutCodes(one: Device, cut: string | null): Promise<DeviceCodes> {
  const { prefix, full } = codes;
  const prefixCut = cut && !inMemory.includes(cut) ? inMemory[1] : cut;
  return codesOf(
    one,
    prefixCut
      ? await laidOut(one, 'i8', prefix, rowStarts, PREFIX, prefixCut)
      : await one.upload('i8', prefix, { resident: true }),
    cut ? await laidOut(one, 'i8', full, rowStarts, LATENT, cut) : await one.upload('i8', full),
  );
}

async function topOf(one: Device, held: DeviceCodes): Promise<Record<string, CpuArray>> {
  const found: Record<string, CpuArray> = {};
  for (const [count, rescored, k] of [
    [1, 130, 10],
    [1, ROWS, ROWS + 2],
    [2, 65, 20],
    [30, 100, 20],
  ]) {
    const q = await one.upload('f32', numbers(11).floats(count * LATENT));
    const short = await one.upload('f32', numbers(12).floats(count * PREFIX));
    const { indices, scores } = await one.topCodes(held, q, short, count, rescored, k);
    found[`rows: ${count} ${rescored} ${k}`] = indices;
    found[`scores: ${count} ${rescored} ${k}`] = scores;
  }
  return found;
}

async function expectSame(
  got: Record<string, CpuArray>,
  expected: Record<string, CpuArray>,
): Promise<void> {
  for (const [what, values] of Object.entries(expected)) {
    expect(got[what].constructor, what).toBe(values.constructor);
    expect(await bytesOf(got[what]), what).toBe(await bytesOf(values));
  }
}

/** What plain tensors give on a device, worked out once. */
const expectations = new Map<string, Promise<Record<string, CpuArray>>>();
function expectation(name: string, what: Vectors | 'codes'): Promise<Record<string, CpuArray>> {
  const key = `${name} ${what}`;
  const one = device(name);
  const made =
    expectations.get(key) ??
    (async () => {
      if (what === 'codes') return topOf(one, await laidOutCodes(one, null));
      return everything(
        one,
        await tokensOf(one, what, await one.upload<Vectors>(what, vectors[what])),
      );
    })();
  expectations.set(key, made);
  return made;
}

describe.each(names)('a device: %s', (name) => {
  const possible = name === 'plain' ? inMemory : Object.keys(cuts);

  describe.each(possible)('values that lie in %s', (cut) => {
    test.each(['f32', 'i8'] as const)(
      'documents of %s give the bytes of a plain tensor in everything',
      async (dtype) => {
        const one = device(name);
        const tensor = await laidOut<Vectors>(one, dtype, vectors[dtype], offsets, DIM, cut);
        expect(tensor).toMatchObject({ dtype, length: vectors[dtype].length });
        await expectSame(
          await everything(one, await tokensOf(one, dtype, tensor as Tensor<'i8'>)),
          await expectation(name, dtype),
        );
      },
    );

    test('codes give the same rows and scores', async () => {
      const one = device(name);
      await expectSame(
        await topOf(one, await laidOutCodes(one, cut)),
        await expectation(name, 'codes'),
      );
    });
  });
});

test('where values lie, and the number of threads, change no byte of any result', async () => {
  for (const what of ['f32', 'i8', 'codes'] as const) {
    const [first, ...others] = await Promise.all(reading.map((name) => expectation(name, what)));
    for (const other of others) await expectSame(other, first);
  }
});
