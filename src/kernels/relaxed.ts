import { unpack } from '../bytes/packed.js';
import { hasWebAssembly } from './memory.js';
import { importingMemory } from './simd.js';
import { RELAXED } from './wasm-binary.js';

/**
 * The kernels that take relaxed SIMD instructions, for a shared memory or for one that is not; null
 * where the engine has none, may not compile them, or multiplies four pairs of bytes no faster than
 * two of int16.
 */
export async function relaxedModule(shared: boolean): Promise<WebAssembly.Module | null> {
  const binary = await relaxedBinary(shared);
  if (!binary) return null;
  try {
    const module = await WebAssembly.compile(binary);
    return isFast(module, shared) ? module : null;
  } catch {
    // compiling is forbidden here
    return null;
  }
}

/** The same as a binary, fast or not; null where the engine does not know the instructions. */
export async function relaxedBinary(shared: boolean): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!hasWebAssembly()) return null;
  const binary = importingMemory(await unpack(RELAXED), shared);
  return WebAssembly.validate(binary) ? binary : null;
}

/**
 * Whether one instruction multiplies four pairs of bytes. Where there is none (x86 without
 * AVX-VNNI) engines take three, and sums of two products end at 16 bits, which shows outside of
 * the range that is used.
 */
function isFast(module: WebAssembly.Module, shared: boolean): boolean {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return (exports.dotsSaturate as () => number)() === 0;
}
