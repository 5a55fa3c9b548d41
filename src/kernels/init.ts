import { checkOptions, type OptionNames } from '../known-options.js';
import { kindOf } from '../value-kind.js';
import { provideKernels } from './kernels-module.js';

/** Where the kernels come from. */
export interface InitOptions {
  /**
   * The compiled kernels, the files `lemur/kernels.wasm` and `lemur/kernels-shared.wasm` of this
   * package: a `WebAssembly.Module`; or the bytes of either file; or the URL of either (in Node
   * `file:` and paths too).
   */
  wasm: string | URL | ArrayBuffer | ArrayBufferView | object;
}

const INIT_OPTIONS: OptionNames<InitOptions> = { wasm: true };

/**
 * Takes the WASM kernels from `wasm` instead of compiling those inlined in the package: for
 * runtimes that forbid compiling (Cloudflare Workers and their kin). To be called before the first
 * computation; again with the same `wasm` it does nothing. Results do not depend on it. A
 * `WebAssembly.Module` fits one kind of memory: `kernels.wasm` edge runtimes and pages that are not
 * cross-origin isolated, `kernels-shared.wasm` everything else; bytes and URLs of either file fit
 * both. Raises `invalid-argument` (a wrong type, or too late), `not-found` (nothing at the URL),
 * `bad-file` (not these kernels) and `unsupported` (compiling is forbidden, or the module is for
 * the other memory); the inlined kernels are then used as before.
 *
 * @example
 * import kernels from 'lemur/kernels.wasm';
 *
 * await init({ wasm: kernels });
 */
export async function init(options: InitOptions): Promise<void> {
  checkOptions(options, INIT_OPTIONS, 'init');
  const { wasm } = options;
  await provideKernels(kindOf(wasm) === 'URL' ? (wasm as URL).href : wasm);
}
