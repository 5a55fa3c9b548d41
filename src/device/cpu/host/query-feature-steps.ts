import type { Tensor } from '../../memory.js';
import type { QueryFeaturesArgs } from '../operations/features.js';
import type { SearchTensors } from './kept-tensors.js';
import { type Step, step } from './run.js';

/** So few tokens are one worker's. */
const FEW_TOKENS = 8;
/** Outputs of a layer that the product has beside one another. */
const PANEL = 16;
/** Tokens whose features are kept at most. */
const MOST_TOKENS = 1024;

/**
 * What computes features of queries: of their tokens (z, which are to be added up), where there are
 * fewer queries than workers; else their sums.
 */
export async function queryFeatureSteps(
  tensors: SearchTensors,
  args: QueryFeaturesArgs,
  threads: number,
): Promise<{ steps: readonly Step[]; z: Tensor<'f32'> | null }> {
  const { featureMap, queries } = args;
  const { documentCount: count } = queries;
  // the vectors of queries are plain, `dim` values a token
  const tokens = queries.vectors.length / queries.dim;
  const few = count < threads && tokens <= MOST_TOKENS;
  if (!few || tokens <= FEW_TOKENS) return { steps: [step('queryFeatures', args)], z: null };
  const { latentDim, layers } = featureMap.layout;
  const { outputs } = layers[0];
  const z = await tensors.allocate('f32', tokens * latentDim);
  const products = await tensors.allocate('f32', tokens * outputs);
  const columns = PANEL * Math.ceil(outputs / threads / PANEL);
  const rows = Math.ceil(tokens / threads);
  return {
    steps: [
      step('tokenProducts', { ...args, tokens, columns, out: products }),
      step('tokenFeatures', { ...args, tokens, rows, products, out: z }),
    ],
    z,
  };
}
