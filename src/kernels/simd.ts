import type { Kernels } from './kernels.js';
import { KERNELS } from './wasm-binary.js';

/** Compiles the WASM kernels, for a shared memory or for one that is not. Rejects where WASM or its SIMD instructions are missing. */
export async function compileKernels(shared: boolean): Promise<WebAssembly.Module> {
  const binary = decodeBase64(KERNELS);
  if (!shared) importUnsharedMemory(binary);
  return WebAssembly.compile(binary);
}

/** The kernels over `memory`, whose sharedness must be that of the module. */
export function simdKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

/** The two modules differ in one bit, the `shared` flag of the imported memory: "env" "memory", kind 2, limits with a maximum. */
function importUnsharedMemory(binary: Uint8Array): void {
  const memoryImport = [3, ...ascii('env'), 6, ...ascii('memory'), 2];
  const at = binary.findIndex((_, i) => memoryImport.every((byte, j) => binary[i + j] === byte));
  binary[at + memoryImport.length] &= ~2;
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
