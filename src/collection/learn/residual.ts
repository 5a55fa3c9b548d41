import type { Device } from '../../device/device.js';
import type { DeviceTokens } from '../../device/device-tokens.js';
import type { Tensor } from '../../device/memory.js';
import { withTensors } from '../../device/with-tensors.js';
import type { WeightBasis } from '../../learn/reduction.js';
import type { TargetMoments } from '../../learn/target-moments.js';
import type { Residual } from '../files/manifest.js';

/** Documents of a chunk whose residuals are measured at most: it costs as much as the weights. */
const MOST = 16;

/**
 * How well weights (documents x d') explain the targets of some of the documents at the solve
 * sample: squared residual over the targets' variance (1 - R^2). Documents that were not there at
 * the fit and have more of it than those that were are unlike them: the features do not know what
 * tells them apart.
 */
export async function measureResidual(
  device: Device,
  { solver, mean, std }: WeightBasis,
  tokens: DeviceTokens,
  w: Tensor<'f32'>,
  chosen: readonly number[],
): Promise<Residual> {
  if (chosen.length === 0) return { documents: 0, mean: 0 };
  const { x, z, rows } = solver;
  const latentDim = z.length / rows;
  const columns = chosen.length;
  return withTensors(device, async (scope) => {
    const select = await scope.upload('i32', Int32Array.from(chosen));
    const targets = await scope.allocate('f32', rows * columns);
    await device.targets(x, rows, tokens, select, targets);
    const weights = await scope.upload('f32', await readRows(device, w, latentDim, chosen));
    const estimates = await scope.allocate('f32', rows * columns);
    await device.innerProducts(z, rows, weights, columns, latentDim, estimates);
    const [expected, got] = [await device.read(targets), await device.read(estimates)];
    let total = 0;
    for (let column = 0; column < columns; column++)
      total += unexplained(expected, got, column, columns, { mean, std });
    return { documents: columns, mean: total / columns };
  });
}

/** Rows of w, one after the other. */
async function readRows(
  device: Device,
  w: Tensor<'f32'>,
  dim: number,
  rows: readonly number[],
): Promise<Float32Array> {
  const out = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries())
    out.set(await device.read(w, row * dim, (row + 1) * dim), i * dim);
  return out;
}

/** 1 - R^2 of a column of targets (rows x columns) by its estimates, which are standardised. */
function unexplained(
  targets: Float32Array,
  estimates: Float32Array,
  column: number,
  columns: number,
  { mean, std }: TargetMoments,
): number {
  let sum = 0;
  let squares = 0;
  let missed = 0;
  for (let at = column; at < targets.length; at += columns) {
    const target = (targets[at] - mean) / std;
    sum += target;
    squares += target * target;
    missed += (target - estimates[at]) ** 2;
  }
  const variance = squares - (sum * sum) / (targets.length / columns);
  // targets that hardly vary would outweigh all others
  return variance > 0 ? Math.min(1, missed / variance) : 0;
}

/** Means of two groups as that of both. */
export function mergeResiduals(a: Residual, b: Residual): Residual {
  const documents = a.documents + b.documents;
  return {
    documents,
    mean: documents === 0 ? 0 : (a.mean * a.documents + b.mean * b.documents) / documents,
  };
}

/** Some of `count` documents, spread evenly. */
export function sampleEvenly(count: number): number[] {
  const chosen = Math.min(MOST, count);
  return Array.from({ length: chosen }, (_, i) => Math.floor((i * count) / chosen));
}

/** Every eighth of the documents by a hash of their ids, the same ones wherever they are. */
export function sampleByIdHash(documents: readonly { readonly id: string }[]): number[] {
  const chosen: number[] = [];
  for (let i = 0; i < documents.length && chosen.length < MOST; i++) {
    let hash = 0;
    for (const letter of documents[i].id)
      hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0;
    if ((hash & 7) === 0) chosen.push(i);
  }
  return chosen;
}
