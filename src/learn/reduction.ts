import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import type { TensorMemory } from '../device/memory.js';
import { freeSolver, type Solver } from './solver.js';
import type { TargetMoments } from './target-moments.js';

/**
 * A learned reduction: all that a corpus teaches before any document has weights. With it a query
 * becomes features, a document becomes weights, and their inner product estimates MaxSim.
 */
export interface Reduction extends TargetMoments {
  readonly featureMap: DeviceFeatureMap;
  readonly solver: Solver;
  /** Length of a typical document's longest token vector. */
  readonly length: number;
  /** Weights of a document that is zero, d' values. */
  readonly base: Float32Array;
}

/** The part of a reduction that gives documents their weights. */
export type WeightBasis = Pick<Reduction, 'featureMap' | 'solver' | 'mean' | 'std'>;

export function freeReduction(device: TensorMemory, { featureMap, solver }: WeightBasis): void {
  device.free(featureMap.parameters);
  freeSolver(device, solver);
}
