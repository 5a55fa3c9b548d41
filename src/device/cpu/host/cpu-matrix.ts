import { LemurError } from '../../../errors.js';
import type { RunOptions } from '../../../run-options.js';
import type { Tensor } from '../../memory.js';
import type { SymmetricMatrix } from '../../symmetric-matrix.js';
import { withTensors } from '../../with-tensors.js';
import type { CpuTensor } from '../cpu-tensor.js';
import { withPartials } from './partials.js';
import type { Run } from './run.js';
import type { TensorStore } from './tensor-store.js';

/** A symmetric matrix or its factor in float64, where the workers see it. */
export class CpuMatrix implements SymmetricMatrix {
  readonly n: number;
  /** n x n. */
  readonly tensor: CpuTensor<'f64'>;
  readonly #store: TensorStore;
  readonly #run: Run;

  private constructor(store: TensorStore, run: Run, n: number, tensor: CpuTensor<'f64'>) {
    this.#store = store;
    this.#run = run;
    this.n = n;
    this.tensor = tensor;
  }

  /** Z^T Z, z rows x n. */
  static async gram(
    store: TensorStore,
    run: Run,
    { z, rows, n }: { z: Tensor<'f32'>; rows: number; n: number },
    options: RunOptions | undefined,
  ): Promise<CpuMatrix> {
    const matrix = new CpuMatrix(store, run, n, await store.allocate('f64', n * n));
    try {
      await run('gram', { z, rows, n, out: matrix.tensor }, options);
      return matrix;
    } catch (error) {
      matrix.close();
      throw error;
    }
  }

  static async upload(
    store: TensorStore,
    run: Run,
    values: Float64Array,
    n: number,
  ): Promise<CpuMatrix> {
    return new CpuMatrix(store, run, n, await store.upload('f64', values));
  }

  /** One that this class has made. Raises 'invalid-argument'. */
  static own(matrix: SymmetricMatrix): CpuMatrix {
    if (matrix instanceof CpuMatrix) return matrix;
    throw new LemurError('invalid-argument', 'factor: expected one that this device has made', {
      where: 'factor',
    });
  }

  read(): Promise<Float64Array> {
    return this.#store.read(this.tensor);
  }

  write(values: Float64Array): Promise<void> {
    return this.#store.write(this.tensor, values);
  }

  factorise(): Promise<number> {
    return withPartials(
      this.#store,
      1,
      (result) => this.#run('cholesky', { a: this.tensor, n: this.n, result }),
      (values) => values[0],
    );
  }

  solve(rows: Float32Array, options?: RunOptions): Promise<Float32Array> {
    const { n, tensor } = this;
    return withTensors(this.#store, async (scope) => {
      const b = await scope.upload('f32', rows);
      const out = await scope.allocate('f32', rows.length);
      const args = { factor: tensor, n, rows: rows.length / n, b, out };
      await this.#run('solveRows', args, options);
      return this.#store.read(out);
    });
  }

  close(): void {
    this.#store.free(this.tensor);
  }
}
