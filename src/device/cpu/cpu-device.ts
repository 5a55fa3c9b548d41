import { LemurError } from '../../errors.js';
import { kernelsModule } from '../../kernels/kernels-module.js';
import { createMemory, hasWebAssembly } from '../../kernels/memory.js';
import { knowsKernels } from '../../kernels/simd.js';
import type { Platform } from '../../platform.js';
import type { RunOptions } from '../../run-options.js';
import type { Device, Tensor } from '../device.js';
import { isThreads, wrongThreads } from '../threads.js';
import { batchLayout } from './batch-layout.js';
import { codeLayout } from './code-layout.js';
import type { Operation } from './operation.js';
import { planSubset } from './operations/search.js';
import { partialCount } from './operations/train.js';
import { type OperationArgs, type OperationName, operations } from './operations.js';
import { createPool } from './pool.js';
import { createTensorStore } from './tensor-store.js';
import { topRows } from './top-rows.js';

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

  const run = async <N extends OperationName>(
    name: N,
    args: OperationArgs<N>,
    options?: RunOptions,
    stage?: string,
  ): Promise<void> => {
    const operation = operations[name] as unknown as Operation<OperationArgs<N>>;
    const blocks = operation.blocks(args);
    if (blocks === 0) return;
    const scratch = store.scratchFor(operation.scratchBytes(args));
    await pool.run(
      { operation: name, args, blocks, scratch, top: store.top },
      { ...options, stage },
    );
  };
  /** Sums `partials[i * stride + which]` in order of i. */
  const withPartials = async <T>(
    length: number,
    use: (partials: Tensor<'f64'>) => Promise<void>,
    finish: (values: Float64Array) => T,
  ): Promise<T> => {
    const partials = await store.allocate('f64', length);
    try {
      await use(partials);
      return finish(await store.read(partials));
    } finally {
      store.free(partials);
    }
  };
  const sum = (values: Float64Array, from = 0, to: number = values.length, stride = 1): number => {
    let total = 0;
    for (let i = from; i < to; i += stride) total += values[i];
    return total;
  };

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
    concat: store.concat,
    allocate: (dtype, length) => store.allocate(dtype, length),
    read: store.read,
    write: store.write,
    free: store.free,
    close: pool.close,

    features: (map, x, rows, out, options) => run('features', { map, x, rows, out }, options),
    queryFeatures: (map, queries, out, options) =>
      run('queryFeatures', { map, queries, out }, options),

    targets(x, rows, documents, select, out, options) {
      const args = { x, rows, documents, select, scales: options?.scales ?? null, out };
      const blocks = operations.targets.blocks({ ...args, partials: out as never });
      return withPartials(
        2 * blocks,
        (partials) => run('targets', { ...args, partials }, options, 'targets'),
        (values) => ({
          sum: sum(values, 0, values.length, 2),
          sumSquares: sum(values, 1, values.length, 2),
        }),
      );
    },

    async createTraining(layout, outputs, batchSize, products) {
      const length = layout.parameterCount + outputs * layout.latentDim;
      const resident = (n: number): Promise<Tensor<'f32'>> => store.allocate('f32', n, 'required');
      const coded = products === 'int16' ? codeLayout(layout, outputs, batchSize) : null;
      return {
        layout,
        outputs,
        batchSize,
        parameters: await resident(length),
        gradients: await resident(length),
        firstMoment: await resident(length),
        secondMoment: await resident(length),
        batch: await resident(batchLayout(layout, outputs, batchSize).length),
        partials: await store.allocate('f64', partialCount({ layout, outputs, batchSize })),
        codes: coded && (await store.allocate('i16', coded.codes, 'required')),
        factors: coded && (await resident(coded.factors)),
      };
    },

    async trainStep(training, step) {
      const args = { training, step };
      if (training.codes) await run('packWeights', args);
      await run('trainRows', args);
      const errors = await store.read(training.partials, 0, operations.trainRows.blocks(args));
      await run('trainGradients', args);
      const gradientNorm = Math.sqrt(
        sum(await store.read(training.partials, 0, operations.trainGradients.blocks(args))),
      );
      const gradScale =
        step.gradClip === null ? 1 : Math.min(1, step.gradClip / (gradientNorm + 1e-6));
      await run('trainUpdate', { ...args, gradScale });
      return { loss: sum(errors) / (step.rows * training.outputs), gradientNorm };
    },

    loss(training, x, targets, rows, mean, std, options) {
      const args = { training, x, targets, rows, mean, std };
      const blocks = operations.loss.blocks({ ...args, sums: training.partials });
      return withPartials(
        blocks,
        (sums) => run('loss', { ...args, sums }, options),
        (values) => sum(values) / (rows * training.outputs),
      );
    },

    gram: (z, rows, n, out, options) => run('gram', { z, rows, n, out }, options),
    cholesky: (a, n) =>
      withPartials(
        1,
        (result) => run('cholesky', { a, n, result }),
        (values) => values[0],
      ),
    documentWeights: (args, options) => run('documentWeights', args, options, 'document weights'),

    ...topRows(store, run, pool.threads),

    innerProducts: (a, rows, b, columns, dim, out, options) =>
      run('innerProducts', { a, rows, b, columns, dim, out }, options),

    async encodeRows(args, rows, dim, prefixDim, options) {
      // every query reads all of it
      const prefix = await store.allocate('i8', rows * prefixDim, 'preferred');
      const codes = await store.allocate('i8', rows * dim);
      const factors = await store.allocate('f32', rows);
      const out = { rows, dim, prefixDim, prefix, codes, factors, checks: null };
      try {
        await run('encodeRows', { ...args, out }, options, 'first stage');
        return out;
      } catch (error) {
        store.free(prefix, codes, factors);
        throw error;
      }
    },

    maxSim: (queries, documents, out, options) =>
      run('maxSim', { queries, documents, out }, options, 'exact MaxSim'),

    async maxSimSubset(queries, documents, candidates, candidateOffsets, out, options) {
      const plan = await store.upload('i32', planSubset(candidateOffsets));
      try {
        await run('maxSimSubset', { queries, documents, out, candidates, plan }, options, 'rerank');
      } finally {
        store.free(plan);
      }
    },
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
