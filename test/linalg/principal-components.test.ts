import { describe, expect, test } from 'vitest';
import { principalComponents, project } from '../../src/linalg/principal-components.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';
import type { Progress } from '../../src/run-options.js';

/** Rows whose column c has a spread of 1 / (c + 1), around a mean that is not zero. */
function tokens(rows: number, dim: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: rows * dim }, (_, at) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 0.2 + (state / 2 ** 32 - 0.5) / ((at % dim) + 1);
  });
}

describe('principal components', () => {
  test('are the leading eigenvectors of the uncentred second moment, as columns', async () => {
    for (const [rows, dim, components] of [
      [300, 10, 4],
      [65, 3, 3],
      [2, 7, 7],
      [1, 1, 1],
      [130, 16, 1],
    ]) {
      const x = tokens(rows, dim);
      const moment = new Float64Array(dim * dim);
      for (let r = 0; r < rows; r++)
        for (let i = 0; i < dim; i++)
          for (let j = 0; j < dim; j++) moment[i * dim + j] += x[r * dim + i] * x[r * dim + j];
      const { values, vectors } = symmetricEigen(moment, dim);
      const projection = await principalComponents(x, dim, components);
      expect(projection.length).toBe(dim * components);
      for (let c = 0; c < components; c++) {
        if (values[c] < 1e-6) continue; // any basis of what is left will do
        for (let i = 0; i < dim; i++)
          expect(projection[i * components + c]).toBeCloseTo(vectors[c * dim + i], 5);
      }
    }
  });

  test('are orthonormal where there are fewer rows than dimensions, rows that are all the same, or zeros', async () => {
    const [dim, components] = [96, 16];
    for (const x of [
      tokens(1, dim),
      tokens(13, dim),
      tokens(60, dim),
      new Float32Array(2 * dim),
      new Float32Array(40 * dim).fill(0.3),
    ]) {
      const got = await principalComponents(x, dim, components);
      for (let c = 0; c < components; c++) {
        for (let d = 0; d <= c; d++) {
          let product = 0;
          for (let i = 0; i < dim; i++)
            product += got[i * components + c] * got[i * components + d];
          expect(product).toBeCloseTo(c === d ? 1 : 0, 5);
        }
      }
    }
  });

  test('of a sample are those of the evenly spaced rows', async () => {
    const x = tokens(1000, 5);
    const sample = new Float32Array(300 * 5);
    for (let j = 0; j < 300; j++) {
      const row = Math.floor((j * 1000) / 300);
      sample.set(x.subarray(row * 5, row * 5 + 5), j * 5);
    }
    expect(await principalComponents(x, 5, 2, { sampleRows: 300 })).toEqual(
      await principalComponents(sample, 5, 2),
    );
    expect(await principalComponents(x, 5, 2, { sampleRows: 5000 })).toEqual(
      await principalComponents(x, 5, 2),
    );
  });

  test('let timers run, report progress and can be stopped', async () => {
    const x = tokens(20_000, 64);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const seen: Progress[] = [];
    const controller = new AbortController();
    const onProgress = (progress: Progress): void => {
      seen.push(progress);
      if (progress.done >= 12_000) controller.abort(new Error('enough'));
    };
    await expect(
      principalComponents(x, 64, 8, { onProgress, signal: controller.signal }),
    ).rejects.toThrow('enough');
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
    expect(seen[0]).toEqual({ stage: 'second moment', done: 0, total: 20_000 });
    expect(seen.at(-1)!.done).toBeLessThan(20_000);
  });

  test('refuse what does not fit', async () => {
    const x = tokens(4, 3);
    await expect(principalComponents(x, 5, 2)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(principalComponents(x, 3, 4)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(principalComponents(x, 3, 0)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(principalComponents(x, 3, 1, { sampleRows: 0.5 })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await expect(principalComponents(new Float32Array(0), 3, 2)).rejects.toMatchObject({
      code: 'empty-corpus',
    });
    await expect(principalComponents(Float32Array.of(1, Number.NaN), 2, 1)).rejects.toMatchObject({
      code: 'not-finite',
    });
  });
});

describe('projecting', () => {
  test('multiplies by the matrix and scales every row to unit length; zero rows stay zero', async () => {
    for (const [rows, dim, components] of [
      [131, 7, 3],
      [64, 4, 4],
      [3, 5, 9],
    ]) {
      const x = tokens(rows, dim);
      x.fill(0, dim, 2 * dim);
      const projection = tokens(dim, components);
      const got = await project(x, dim, projection, components);
      for (let r = 0; r < rows; r++) {
        const want = Array.from({ length: components }, (_, c) => {
          let sum = 0;
          for (let i = 0; i < dim; i++) sum += x[r * dim + i] * projection[i * components + c];
          return sum;
        });
        const norm = Math.sqrt(want.reduce((square, value) => square + value * value, 0)) || 1;
        for (let c = 0; c < components; c++)
          expect(got[r * components + c]).toBeCloseTo(want[c] / norm, 6);
      }
    }
  });

  test('keeps very small rows, and no rows at all', async () => {
    expect(await project(Float32Array.of(3e-30, 4e-30), 2, Float32Array.of(1, 0, 0, 1), 2)).toEqual(
      Float32Array.of(0.6, 0.8),
    );
    expect(await project(new Float32Array(0), 2, Float32Array.of(1, 0), 1)).toEqual(
      new Float32Array(0),
    );
  });

  test('keeps inner products when nothing is cut off', async () => {
    const x = await project(
      tokens(50, 6),
      6,
      Float32Array.from({ length: 36 }, (_, at) => (at % 7 === 0 ? 1 : 0)),
      6,
    );
    const y = await project(x, 6, await principalComponents(x, 6, 6), 6);
    const inner = (m: Float32Array, r: number) =>
      m.subarray(0, 6).reduce((sum, value, i) => sum + value * m[r * 6 + i], 0);
    for (let r = 0; r < 50; r++) expect(inner(y, r)).toBeCloseTo(inner(x, r), 5);
  });

  test('refuses what does not fit', async () => {
    await expect(project(tokens(4, 3), 3, new Float32Array(5), 2)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await expect(project(tokens(4, 3), 5, new Float32Array(10), 2)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await expect(
      project(tokens(4, 3), 3, new Float32Array(6), 2, {
        signal: AbortSignal.abort(new Error('no')),
      }),
    ).rejects.toThrow('no');
  });
});
