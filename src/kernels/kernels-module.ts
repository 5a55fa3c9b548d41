import { invalid, type ModuleFor, readModule } from './read-module.js';
import { compileKernels } from './simd.js';

let provided: { wasm: unknown; moduleFor: Promise<ModuleFor> } | undefined;
let used = false;

/** What `init` does. Where it fails, what was there before stays. */
export async function provideKernels(wasm: unknown): Promise<void> {
  const before = provided;
  if (before && before.wasm === wasm) return void (await before.moduleFor);
  if (used) throw invalid('called after the first computation, expected before it');
  const mine = { wasm, moduleFor: readModule(wasm) };
  provided = mine;
  try {
    await mine.moduleFor;
  } catch (error) {
    if (provided === mine) provided = before;
    throw error;
  }
}

/** The module that `init` was given, else the inlined one, compiled. Rejects where it cannot be. */
export async function kernelsModule(shared: boolean): Promise<WebAssembly.Module> {
  used = true;
  const moduleFor = await provided?.moduleFor.catch(() => compileKernels);
  return (moduleFor ?? compileKernels)(shared);
}
