import type { Kernels } from '../kernels.js';
import { createMemory, type KernelMemory } from '../memory.js';
import { plainKernels } from '../plain/plain.js';
import { relaxedBinary } from '../relaxed.js';
import { kernelsBinary, simdKernels } from '../simd.js';
import { CHECK_PAGES, type KernelsAtWork, wrongKernels } from './wrong-kernels.js';

/** A custom section with an empty name: the engine does not know the same module again. */
const OTHER = [0, 1, 0];

/**
 * The names of kernels that are wrong (`wrongKernels`) when they are compiled after `change`, or
 * have not the bytes that they have when compiled before it. For an engine that compiles to its
 * best code at once, in a process that computes nothing else.
 */
export async function wrongKernelsAfter(change: () => void): Promise<string[]> {
  const binary = await kernelsBinary(true);
  const relaxed = await relaxedBinary(true);
  const before = compiled(binary, OTHER);
  const relaxedBefore = relaxed && compiled(relaxed, OTHER);
  change();
  const after = compiled(binary, []);
  const relaxedAfter = relaxed && compiled(relaxed, []);
  return wrongKernels(
    atWork((memory) => simdKernels(after, memory, relaxedAfter)),
    atWork(plainKernels),
    atWork((memory) => simdKernels(before, memory, relaxedBefore)),
  );
}

function compiled(binary: Uint8Array, section: readonly number[]): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.of(...binary, ...section));
}

function atWork(over: (memory: KernelMemory) => Kernels): KernelsAtWork {
  const memory = createMemory(true);
  memory.grow(CHECK_PAGES);
  return { kernels: over(memory), memory };
}
