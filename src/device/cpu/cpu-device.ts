import { LemurError } from '../../errors.js';
import { kernelsModule } from '../../kernels/kernels-module.js';
import { createMemory, hasWebAssembly, type KernelMemory } from '../../kernels/memory.js';
import { relaxedModule } from '../../kernels/relaxed.js';
import { knowsKernels } from '../../kernels/simd.js';
import type { Platform } from '../../platform.js';
import type { Device } from '../device.js';
import type { TensorMemory } from '../memory.js';
import { isThreads, wrongThreads } from '../threads.js';
import { cpuLearner } from './host/cpu-learner.js';
import { cpuRetriever } from './host/cpu-retriever.js';
import { MemoryHeap } from './host/memory-heap.js';
import { createRun, createRunSteps } from './host/run.js';
import { ScratchAreas } from './host/scratch-areas.js';
import { TensorStore } from './host/tensor-store.js';
import { createPool } from './host/worker-pool.js';

export interface CpuDeviceOptions {
  /** Whether writes behind scratch memory are looked for, which is for tests. Default false. */
  guardScratch?: boolean;
  /**
   * Whether documents get a first look where the best are asked for, which changes no answer.
   * Default: where it is faster.
   */
  firstLook?: boolean;
}

/**
 * The CPU: `threads` workers (default: all) with WASM kernels over one shared memory; where memory
 * cannot be shared, one worker with its own, same results. Where WASM SIMD is missing, the plain
 * kernels, after one warning: the same answers up to rounding, much later.
 */
export async function createCpuDevice(
  platform: Platform,
  threads: number = platform.parallelism,
  { guardScratch = false, firstLook }: CpuDeviceOptions = {},
): Promise<Device> {
  if (!isThreads(threads)) throw wrongThreads(threads);
  const memory = platform.sharedMemory ? createMemory(true) : null;
  const module = platform.kernels === 'plain' ? null : await compiledKernels(platform, memory);
  const relaxed = module && (await relaxedModule(memory !== null));
  const workers = memory ? threads : 1;
  const settings = { platform, threads: workers, module, relaxed, memory, guardScratch };
  const pool = await createPool(settings);
  const heap = new MemoryHeap(pool, memory);
  const store = new TensorStore(pool, heap, memory);
  const runSteps = createRunSteps(pool, heap, new ScratchAreas(heap, workers, guardScratch));
  const run = createRun(runSteps);
  return {
    threads: workers,
    get closed() {
      return pool.dead;
    },
    ...cpuMemory(store, platform.readsFiles),
    ...cpuRetriever(store, runSteps, workers, firstLook ?? relaxed !== null),
    ...cpuLearner(store, run, runSteps),
    close: () => pool.close(),
  };
}

function cpuMemory(
  store: Required<Omit<TensorMemory, 'readsFiles'>>,
  readsFiles: boolean,
): TensorMemory {
  return {
    readsFiles,
    upload: (dtype, data, options) => store.upload(dtype, data, options),
    allocate: (dtype, length) => store.allocate(dtype, length),
    join: (dtype, parts) => store.join(dtype, parts),
    async attach(dtype, length, file) {
      if (readsFiles) return store.attach(dtype, length, file);
      const message = `${file.name}: the workers of this platform read no files`;
      throw new LemurError('unsupported', message, { where: file.name });
    },
    cacheRows: (tensor, rowLength) => store.cacheRows(tensor, rowLength),
    read: (tensor, from, to) => store.read(tensor, from, to),
    write: (tensor, data, at) => store.write(tensor, data, at),
    free: (...tensors) => store.free(...tensors),
  };
}

let warned = false;

async function compiledKernels(
  platform: Platform,
  memory: KernelMemory | null,
): Promise<WebAssembly.Module | null> {
  await platform.prepareKernels?.();
  return compileOrWarn(memory !== null);
}

async function compileOrWarn(shared: boolean): Promise<WebAssembly.Module | null> {
  try {
    return await kernelsModule(shared);
  } catch (error) {
    if (!warned) {
      const why = (await knowsKernels())
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
