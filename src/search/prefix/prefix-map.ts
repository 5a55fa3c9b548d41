import type { Device } from '../../device/device.js';
import type { Tensor } from '../../device/memory.js';
import { withTensors } from '../../device/with-tensors.js';
import { centreRows, meanRow } from '../../learn/centre.js';
import { type Scaling, UNSCALED } from '../../learn/scaling.js';
import type { Solver } from '../../learn/solver.js';
import { transposed } from '../../linalg/transposed.js';
import type { RunOptions } from '../../run-options.js';
import { createRandom } from '../../tokens/random.js';
import { STREAM } from '../../tokens/random-streams.js';
import { leadingEigenvectors, rowProducts } from './leading-eigenvectors.js';

/** Rows of W that the covariance comes from at most, in runs of RUN. */
const SAMPLE = 16_384;
const RUN = 256;
/** A code of 127 is so many root mean squares of a prefix coordinate; what is beyond is clipped. */
const CLIP = 6;

/**
 * How document weights w and query features q become short vectors w' = D (w - mean) and q' = Q q
 * with <w', q'> close to <w, q> up to a constant for each query: balanced truncation. Coordinates
 * are sorted; a shorter prefix is a prefix of a longer one.
 */
export interface PrefixMap {
  /** Coordinates kept. */
  readonly dim: number;
  /** d': mean row of W, or of the rows that the covariance comes from. */
  readonly mean: Float32Array;
  /** D, dim x d'. */
  readonly documentProjection: Float32Array;
  /** Q, dim x d'. */
  readonly queryProjection: Float32Array;
  /** What a code of a prefix is worth, on the scale of w'. */
  readonly step: number;
  /**
   * d': weights of a document that is zero, from which those of others are scaled; null: nothing is
   * (a model of an earlier version).
   */
  readonly base: Float32Array | null;
}

/** Below this length nothing is left of what tells a row from others. */
const LEAST_LENGTH = 1e-5;

/**
 * With the queries' second moment Cq = Z^T Z / n' = L L^T and the covariance Cw of the rows of W,
 * the leading eigenpairs L^T Cw L = V S V^T give D = S^-1/4 V^T L^T and Q = S^1/4 V^T L^-1 = S^-3/4
 * V^T L^T Cw = S^-1/2 D Cw: both moments become S^1/2, and no coordinate that matters to either is
 * lost. null where W has no more than one distinct row. Rows are taken by their lengths, so that
 * no document counts for more than another.
 */
export async function fitPrefixMap(
  device: Device,
  solver: Solver,
  w: Tensor<'f32'>,
  latentDim: number,
  prefixDim: number,
  seed: number,
  options: RunOptions = {},
  scaling: Scaling = UNSCALED,
): Promise<PrefixMap | null> {
  const n = latentDim;
  const products = (a: Float32Array, b: Tensor<'f32'>): Promise<Float32Array> =>
    rowProducts(device, a, b, n, options);
  return withTensors(device, async (scope) => {
    const upload = (values: Float32Array) => scope.upload('f32', values);
    const { rows, mean } = await sampleRows(device, w, n, scaling);
    const covariance = await upload(await covarianceOf(device, rows, n, options));
    const l = await readFactor(solver, n);
    const lt = transposed(l, n, n);
    const [factor, transposedFactor] = [await upload(l), await upload(lt)];
    // L^T Cw, then L^T Cw L
    const inner = await upload(await products(await products(lt, covariance), transposedFactor));
    const { values, vectors } = await leadingEigenvectors(
      device,
      inner,
      n,
      prefixDim,
      createRandom(seed, STREAM.eigenvectors),
      options,
    );
    const dim = values.length;
    if (dim === 0) return null;
    const documentProjection = scaleRows(await products(vectors, factor), values, n, -0.25);
    const queryProjection = scaleRows(
      await products(documentProjection, covariance),
      values,
      n,
      -0.5,
    );
    const rootMeanSquare = Math.sqrt(
      values.reduce((sum, value) => sum + Math.sqrt(value), 0) / dim,
    );
    return {
      dim,
      mean,
      documentProjection,
      queryProjection,
      step: Math.fround((CLIP * rootMeanSquare) / 127),
      base: scaling.base,
    };
  });
}

/** Rows of W from all over it, by their lengths, centred, and their mean. */
async function sampleRows(
  device: Device,
  w: Tensor<'f32'>,
  n: number,
  scaling: Scaling,
): Promise<{ rows: Float32Array; mean: Float32Array }> {
  const documents = w.length / n;
  const runs = Math.ceil(Math.min(documents, SAMPLE) / RUN);
  const parts: Float32Array[] = [];
  for (let i = 0; i < runs; i++) {
    const from = documents <= SAMPLE ? i * RUN : Math.floor((i * (documents - RUN)) / (runs - 1));
    const part = await device.read(w, from * n, Math.min(documents, from + RUN) * n);
    parts.push(
      scaling.lengths && scaling.base
        ? unscaled(part, scaling.lengths.subarray(from), scaling.base)
        : part,
    );
  }
  const rows = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    rows.set(part, filled);
    filled += part.length;
  }
  const mean = Float32Array.from(meanRow(rows, n));
  return { rows: centreRows(rows, mean), mean };
}

/** base + (w - base) / length for rows of W, without those of which too little is left. */
function unscaled(rows: Float32Array, lengths: Float32Array, base: Float32Array): Float32Array {
  const n = base.length;
  let kept = 0;
  for (let from = 0, r = 0; from < rows.length; from += n, r++) {
    const length = lengths[r];
    if (length < LEAST_LENGTH) continue;
    for (let j = 0; j < n; j++, kept++)
      rows[kept] = length === 1 ? rows[from + j] : base[j] + (rows[from + j] - base[j]) / length;
  }
  return rows.subarray(0, kept);
}

async function covarianceOf(
  device: Device,
  rows: Float32Array,
  n: number,
  options: RunOptions,
): Promise<Float32Array> {
  return withTensors(device, async (scope) => {
    const count = rows.length / n;
    const sample = await scope.upload('f32', rows);
    const gram = scope.own(await device.gram(sample, count, n, { signal: options.signal }));
    const lower = await gram.read();
    const full = new Float32Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) full[i * n + j] = full[j * n + i] = lower[i * n + j] / count;
    return full;
  });
}

/** L of Cq = L L^T: the solver's factor over the root of its rows, its upper triangle zero. */
async function readFactor({ factor, rows }: Solver, n: number): Promise<Float32Array> {
  const values = await factor.read();
  const scale = 1 / Math.sqrt(rows);
  const lower = new Float32Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) lower[i * n + j] = values[i * n + j] * scale;
  return lower;
}

/** Row i times values[i]^power. */
function scaleRows(
  rows: Float32Array,
  values: Float64Array,
  n: number,
  power: number,
): Float32Array {
  // square roots instead of Math.pow, which differs between engines
  const factor = (value: number): number =>
    power === -0.5 ? 1 / Math.sqrt(value) : 1 / Math.sqrt(Math.sqrt(value));
  return rows.map((x, at) => x * factor(values[Math.floor(at / n)]));
}
