import type { Device } from '../device/device.js';
import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import type { Tensor, TensorMemory } from '../device/memory.js';
import type { SymmetricMatrix } from '../device/symmetric-matrix.js';
import { buildTensors } from '../device/with-tensors.js';
import { LemurError } from '../errors.js';
import type { RunOptions } from '../run-options.js';

/** Below this ratio of a pivot to its diagonal element the columns count as dependent. */
const TINY_PIVOT = 1e-9;
/** Ridge, as a share of the mean diagonal; recall does not change between 1e-6 and 1e-2. */
const RIDGE = 1e-6;

/** Tensor that files have where the solve sample is grouped. */
export const GROUPED = 'grouped';

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
  /** Whether the rows of x lie in groups of 16 like each other (`groupRows`). */
  readonly grouped: boolean;
  /** L with L L^T = Z^T Z (plus what made it regular), d' x d'. */
  readonly factor: SymmetricMatrix;
}

/** Features and factor of the solve sample; `grouped`: its rows come from `groupRows`. */
export async function createSolver(
  device: Device,
  featureMap: DeviceFeatureMap,
  x: Tensor<'f32'>,
  rows: number,
  grouped: boolean,
  options?: RunOptions,
): Promise<Solver> {
  return buildTensors(device, async (scope) => {
    const { latentDim } = featureMap.layout;
    const z = await scope.allocate('f32', rows * latentDim);
    await device.features(featureMap, x, rows, z, options);
    const factor = scope.own(await device.gram(z, rows, latentDim, options));
    await factorise(featureMap, factor);
    return { x, z, rows, grouped, factor };
  });
}

/** The solver again, from a stored factor: d' x d' values, of which the lower triangle counts. */
export async function restoreSolver(
  device: Device,
  featureMap: DeviceFeatureMap,
  x: Tensor<'f32'>,
  rows: number,
  grouped: boolean,
  values: Float64Array,
): Promise<Solver> {
  return buildTensors(device, async (scope) => {
    const { latentDim } = featureMap.layout;
    const factor = scope.own(await device.uploadMatrix(values, latentDim));
    const z = await scope.allocate('f32', rows * latentDim);
    await device.features(featureMap, x, rows, z);
    return { x, z, rows, grouped, factor };
  });
}

export function freeSolver(device: TensorMemory, { x, z, factor }: Solver): void {
  device.free(x, z);
  factor.close();
}

/**
 * Turns a Gram matrix into its Cholesky factor. Features of a LayerNorm without affine sum to zero
 * in every row, so their Gram matrix is singular along the vector of ones 1; adding c 1 1^T / d'
 * with c the mean diagonal fills that direction alone, which the targets never meet: the solution
 * is that of the pseudo-inverse. Where columns depend on each other otherwise (a small sample, dead
 * ReLU units), a small ridge.
 */
async function factorise({ layout }: DeviceFeatureMap, matrix: SymmetricMatrix): Promise<void> {
  const { n } = matrix;
  const gram = await matrix.read();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i];
  // features that are all zero get weights of zero
  const meanDiagonal = trace / n || 1;
  if (layout.kind === 'random') {
    for (let i = 0; i < gram.length; i++) gram[i] += meanDiagonal / n;
  }
  for (const ridge of [0, RIDGE, 1e3 * RIDGE]) {
    for (let i = 0; i < n; i++) gram[i * n + i] += ridge * meanDiagonal;
    await matrix.write(gram);
    if ((await matrix.factorise()) > TINY_PIVOT) return;
  }
  throw new LemurError(
    'invalid-argument',
    'the features of the solve sample are degenerate: no least-squares solution was found',
    {
      where: 'olsSampleSize',
    },
  );
}
