import { LemurError } from '../../errors.js';
import type { RunOptions } from '../../run-options.js';
import type { Learner } from '../learner.js';
import type { SymmetricMatrix } from '../symmetric-matrix.js';

/**
 * A matrix of a device without float64: the processor's, which also factorises it and solves with
 * it.
 */
export class HostMatrix implements SymmetricMatrix {
  readonly n: number;
  readonly #matrix: SymmetricMatrix;

  constructor(matrix: SymmetricMatrix) {
    this.#matrix = matrix;
    this.n = matrix.n;
  }

  static async upload(host: Learner, values: Float64Array, n: number): Promise<HostMatrix> {
    return new HostMatrix(await host.uploadMatrix(values, n));
  }

  /** One that this class has made. Raises 'invalid-argument'. */
  static own(matrix: SymmetricMatrix): HostMatrix {
    if (matrix instanceof HostMatrix) return matrix;
    throw new LemurError('invalid-argument', 'factor: expected one that this device has made', {
      where: 'factor',
    });
  }

  read(): Promise<Float64Array> {
    return this.#matrix.read();
  }

  write(values: Float64Array): Promise<void> {
    return this.#matrix.write(values);
  }

  factorise(): Promise<number> {
    return this.#matrix.factorise();
  }

  solve(rows: Float32Array, options?: RunOptions): Promise<Float32Array> {
    return this.#matrix.solve(rows, options);
  }

  close(): void {
    this.#matrix.close();
  }
}
