/**
 * Lets V8 merge pairs of WebAssembly instructions of 128 bits to one of 256. It is read whenever
 * something is compiled, and holds for all modules and threads of the process.
 */
export const MERGING_FLAG = '--experimental-wasm-revectorize';

/** Takes it back, for what is compiled from then on. */
export const NO_MERGING_FLAG = '--no-experimental-wasm-revectorize';
