import type { Device, DeviceFeatureMap, Tensor } from '../device/device.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';

/** Below this ratio of a pivot to its diagonal element the columns count as dependent. */
const TINY_PIVOT = 1e-9;
/** Ridge, as a share of the mean diagonal; recall does not change between 1e-6 and 1e-2. */
const RIDGE = 1e-6;

/**
 * The least squares that turn a document's targets at the solve sample into its weights. Computed
 * once; documents added later get what they would have got then.
 */
export interface Solver {
  /** Solve sample, rows x d. */
  readonly x: Tensor<'f32'>;
  /** Its features, rows x d'. */
  readonly z: Tensor<'f32'>;
  readonly rows: number;
  /** L with L L^T = Z^T Z (plus what made it regular), d' x d' float64, lower triangle. */
  readonly factor: Tensor<'f64'>;
}

/** Features and factor of the solve sample. */
export async function createSolver(
  device: Device,
  map: DeviceFeatureMap,
  x: Tensor<'f32'>,
  rows: number,
  options?: RunOptions,
): Promise<Solver> {
  const { latentDim } = map.layout;
  const z = await sampleFeatures(device, map, x, rows, options);
  const factor = await device.allocate('f64', latentDim * latentDim);
  try {
    await device.gram(z, rows, latentDim, factor, options);
    await factorise(device, map, await device.read(factor), factor);
    return { x, z, rows, factor };
  } catch (error) {
    device.free(z, factor);
    throw error;
  }
}

/** The solver again, from a stored factor. */
export async function restoreSolver(
  device: Device,
  map: DeviceFeatureMap,
  x: Tensor<'f32'>,
  rows: number,
  factor: Tensor<'f64'>,
): Promise<Solver> {
  return { x, z: await sampleFeatures(device, map, x, rows), rows, factor };
}

async function sampleFeatures(
  device: Device,
  map: DeviceFeatureMap,
  x: Tensor<'f32'>,
  rows: number,
  options?: RunOptions,
): Promise<Tensor<'f32'>> {
  const z = await device.allocate('f32', rows * map.layout.latentDim);
  try {
    await device.features(map, x, rows, z, options);
    return z;
  } catch (error) {
    device.free(z);
    throw error;
  }
}

/**
 * Cholesky factor of the Gram matrix. Features of a LayerNorm without affine sum to zero in every
 * row, so their Gram matrix is singular along the vector of ones 1; adding c 1 1^T / d' with c the
 * mean diagonal fills that direction alone, which the targets never meet: the solution is that of
 * the pseudo-inverse. Where columns depend on each other otherwise (a small sample, dead ReLU
 * units), a small ridge.
 */
async function factorise(
  device: Device,
  map: DeviceFeatureMap,
  gram: Float64Array,
  factor: Tensor<'f64'>,
): Promise<void> {
  const n = map.layout.latentDim;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i];
  // features that are all zero get weights of zero
  const meanDiagonal = trace / n || 1;
  if (map.layout.kind === 'random') {
    for (let i = 0; i < gram.length; i++) gram[i] += meanDiagonal / n;
  }
  for (const ridge of [0, RIDGE, 1e3 * RIDGE]) {
    for (let i = 0; i < n; i++) gram[i * n + i] += ridge * meanDiagonal;
    await device.write(factor, gram);
    if ((await device.cholesky(factor, n)) > TINY_PIVOT) return;
  }
  throw new LemurError(
    'invalid-argument',
    'the features of the solve sample are degenerate: no least-squares solution was found',
    {
      where: 'olsSampleSize',
    },
  );
}
