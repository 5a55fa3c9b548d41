import type { Kernels } from '../kernels.js';
import type { KernelMemory } from '../memory.js';
import { plainCodes } from './codes.js';
import { plainElementwise } from './elementwise.js';
import { plainFeatureMap } from './feature-map.js';
import { plainFirstLook } from './first-look.js';
import { plainLevels } from './levels.js';
import { plainMaxDots } from './max-dots.js';
import { memoryViews } from './memory-views.js';
import { plainNearDots } from './near-dots.js';
import { plainNormalEquations } from './normal-equations.js';
import { plainPanels } from './panels.js';
import { plainProducts } from './products.js';
import { plainTraining } from './training.js';

/**
 * The kernels as formulas: scalar TypeScript, sums in float64, one rounding to float32 at each
 * store. The specification that the fast kernels are held to, and what runs where WASM or its SIMD
 * is missing.
 */
export function plainKernels(memory: Pick<KernelMemory, 'buffer'>): Kernels {
  const views = memoryViews(memory);
  return {
    ...plainPanels(views),
    ...plainMaxDots(views),
    ...plainFirstLook(views),
    ...plainLevels(views),
    ...plainNearDots(views),
    ...plainProducts(views),
    ...plainFeatureMap(views),
    ...plainElementwise(views),
    ...plainTraining(views),
    ...plainCodes(views),
    ...plainNormalEquations(views),
  };
}
