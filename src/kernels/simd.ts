import type { Kernels } from './kernels.js';
import { SHARED, UNSHARED } from './wasm-binary.js';

/** Compiles the WASM kernels, for a shared memory or for one that is not. Rejects where WASM or its SIMD instructions are missing. */
export function compileKernels(shared: boolean): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decodeBase64(shared ? SHARED : UNSHARED));
}

/** The kernels over `memory`, whose sharedness must be that of the module. */
export function simdKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
