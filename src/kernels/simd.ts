import { unpack } from '../bytes/packed.js';
import type { Kernels } from './kernels.js';
import { hasWebAssembly, type KernelMemory } from './memory.js';
import { KERNELS } from './wasm-binary.js';

/**
 * Compiles the inlined WASM kernels, for a shared memory or for one that is not. Rejects where WASM
 * or its SIMD instructions are missing.
 */
export async function compileKernels(shared: boolean): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await kernelsBinary(shared));
}

/** The inlined kernels as a binary, a copy. */
export async function kernelsBinary(shared: boolean): Promise<Uint8Array<ArrayBuffer>> {
  return importingMemory(await unpack(KERNELS), shared);
}

/** Compiles a binary of the kernels, whichever memory it was made for. */
export async function compileFor(shared: boolean, binary: Uint8Array): Promise<WebAssembly.Module> {
  return WebAssembly.compile(importingMemory(binary, shared));
}

/**
 * The kernels over `memory`, whose sharedness must be that of the modules; `relaxed` adds those of
 * `relaxedModule`.
 */
export function simdKernels(
  module: WebAssembly.Module,
  memory: KernelMemory,
  relaxed: WebAssembly.Module | null = null,
): Kernels {
  const exportsOf = (one: WebAssembly.Module): WebAssembly.Exports =>
    new WebAssembly.Instance(one, { env: { memory: memory as WebAssembly.Memory } }).exports;
  const kernels = exportsOf(module);
  return (relaxed ? { ...kernels, ...exportsOf(relaxed) } : kernels) as unknown as Kernels;
}

/**
 * Whether the engine knows all instructions of the kernels; where it does and `compileKernels`
 * rejects, compiling is forbidden.
 */
export async function knowsKernels(): Promise<boolean> {
  return hasWebAssembly() && WebAssembly.validate(await unpack(KERNELS));
}

/**
 * A copy. The two modules differ in one bit, the `shared` flag of the imported memory: "env"
 * "memory", kind 2, limits with a maximum.
 */
export function importingMemory(binary: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(binary);
  const memoryImport = [3, ...ascii('env'), 6, ...ascii('memory'), 2];
  const at = copy.findIndex((_, i) => memoryImport.every((byte, j) => copy[i + j] === byte));
  if (at < 0) return copy;
  const flags = at + memoryImport.length;
  copy[flags] = shared ? copy[flags] | 2 : copy[flags] & ~2;
  return copy;
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
