import { describe, expect, test } from 'vitest';
import { lookCalls } from '../../src/kernels/check/look-calls.js';
import { CALLS, CHECK_PAGES, wrongKernels } from '../../src/kernels/check/wrong-kernels.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { plainKernels } from '../../src/kernels/plain/plain.js';
import { relaxedBinary } from '../../src/kernels/relaxed.js';
import { compileKernels, simdKernels } from '../../src/kernels/simd.js';

const MOST = 65536;
/** Those of a first look are there where the engine knows their instructions. */
const relaxed = await relaxedBinary(false).then(
  (binary) => binary && new WebAssembly.Module(binary),
);
const looks = new Set<string>(Object.keys(lookCalls));
const names = (Object.keys(CALLS) as (keyof Kernels)[]).filter(
  (name) => relaxed !== null || !looks.has(name),
);
type Kernel = (...args: number[]) => number | undefined;

const memoryOf = (shared: boolean): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: CHECK_PAGES, maximum: MOST, shared });
const module = await compileKernels(false);
const plain = () => {
  const memory = memoryOf(false);
  return { kernels: plainKernels(memory), memory };
};
/** The fast kernels; `change` may put others in their places. */
const fast = (
  change: (kernels: Kernels, memory: WebAssembly.Memory) => Partial<Kernels> = () => ({}),
) => {
  const memory = memoryOf(false);
  const kernels = simdKernels(module, memory, relaxed);
  return { kernels: { ...kernels, ...change(kernels, memory) }, memory };
};

describe('the check of the kernels', () => {
  test('finds nothing wrong with those for either memory', async () => {
    expect(wrongKernels(fast(), plain(), fast())).toEqual([]);
    const memory = memoryOf(true);
    const shared = { kernels: simdKernels(await compileKernels(true), memory), memory };
    expect(wrongKernels(shared, plain())).toEqual([]);
  });

  test('calls every kernel that a module exports', () => {
    const exported = [module, ...(relaxed ? [relaxed] : [])].flatMap((one) =>
      WebAssembly.Module.exports(one).filter(({ kind }) => kind === 'function'),
    );
    // the last says how fast the others are
    const all = [...names, ...(relaxed ? ['dotsSaturate'] : [])];
    expect(exported.map(({ name }) => name).sort()).toEqual(all.sort());
  });

  test('names each that does nothing', () => {
    expect(wrongKernels(fast(instead(() => () => 0)), plain())).toEqual(names);
  });

  test('names each that writes beside what it was given', () => {
    const beside = fast(instead(changing(8)));
    expect(wrongKernels(beside, plain())).toEqual(names);
  });

  test('names each whose twin differs in the last bit of a value', () => {
    const twin = fast(instead(changing(64 + 8)));
    expect(wrongKernels(fast(), plain(), twin)).toEqual(names);
  });

  test('names the one that is wrong', () => {
    const one = fast(({ scanI8 }, memory) => ({ scanI8: changing(8)(scanI8 as Kernel, memory) }));
    expect(wrongKernels(one, plain())).toEqual(['scanI8']);
  });
});

/** All kernels, each changed. */
function instead(change: (kernel: Kernel, memory: WebAssembly.Memory) => Kernel) {
  return (kernels: Kernels, memory: WebAssembly.Memory): Partial<Kernels> =>
    Object.fromEntries(names.map((name) => [name, change(kernels[name] as Kernel, memory)]));
}

/** A kernel that, when it is done, changes a bit at this address. Blocks begin at 64. */
function changing(address: number) {
  return (kernel: Kernel, memory: WebAssembly.Memory): Kernel =>
    (...args) => {
      const returned = kernel(...args);
      new Uint8Array(memory.buffer)[address] ^= 1;
      return returned;
    };
}
