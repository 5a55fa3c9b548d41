import { LemurError } from '../../errors.js';
import { kernelsModule } from '../../kernels/kernels-module.js';
import { createMemory, hasWebAssembly } from '../../kernels/memory.js';
import { knowsKernels } from '../../kernels/simd.js';
import type { Platform } from '../../platform.js';
import type { Device } from '../device.js';
import { isThreads, wrongThreads } from '../threads.js';
import { cpuLearner } from './host/cpu-learner.js';
import { cpuRetriever } from './host/cpu-retriever.js';
import { createRun } from './host/run.js';
import { createTensorStore } from './host/tensor-store.js';
import { createPool } from './host/worker-pool.js';

/**
 * The CPU: `threads` workers (default: all) with WASM kernels over one shared memory; where memory
 * cannot be shared, one worker with its own, same results. Where WASM SIMD is missing, the plain
 * kernels, after one warning: the same answers up to rounding, much later.
 */
export async function createCpuDevice(
  platform: Platform,
  threads: number = platform.parallelism,
): Promise<Device> {
  if (!isThreads(threads)) throw wrongThreads(threads);
  const memory = platform.sharedMemory ? createMemory(true) : null;
  const module = platform.kernels === 'plain' ? null : await compileOrWarn(memory !== null);
  const pool = await createPool(platform, memory ? threads : 1, module, memory);
  const store = createTensorStore(pool, memory);

  const run = createRun(pool, store);
  return {
    threads: pool.threads,
    get closed() {
      return pool.dead;
    },
    readsFiles: platform.readsFiles,
    upload: store.upload,
    async attach(dtype, length, file) {
      if (platform.readsFiles) return store.attach(dtype, length, file);
      throw new LemurError(
        'unsupported',
        `${file.name}: the workers of this platform read no files`,
        { where: file.name },
      );
    },
    join: store.join,
    allocate: (dtype, length) => store.allocate(dtype, length),
    read: store.read,
    write: store.write,
    free: store.free,
    ...cpuRetriever(store, run, pool.threads),
    ...cpuLearner(store, run),
    close: pool.close,
  };
}

let warned = false;

async function compileOrWarn(shared: boolean): Promise<WebAssembly.Module | null> {
  try {
    return await kernelsModule(shared);
  } catch (error) {
    if (!warned) {
      const why = knowsKernels()
        ? 'compiling WebAssembly is forbidden here, init({ wasm }) takes compiled kernels'
        : `${hasWebAssembly() ? 'WebAssembly SIMD' : 'WebAssembly'} is missing here`;
      console.warn(
        `lemur: ${why} (${(error as Error).message}); the plain kernels are many times slower`,
      );
    }
    warned = true;
    return null;
  }
}
