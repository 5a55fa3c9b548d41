import type { Tensor, TensorMaker } from '../../memory.js';
import type { QueryFeaturesArgs } from '../operations/features.js';
import { type Step, step } from './run.js';

/** Tokens of a block at least: weights are packed for each. */
const LEAST_TOKENS = 8;
/** Tokens whose features are kept at most. */
const MOST_TOKENS = 1024;

/**
 * What computes features of queries: of their tokens (z, which are to be added up), where there are
 * fewer queries than workers; else their sums.
 */
export async function queryFeatureSteps(
  scope: TensorMaker,
  args: QueryFeaturesArgs,
  threads: number,
): Promise<{ steps: readonly Step[]; z: Tensor<'f32'> | null }> {
  const { featureMap, queries } = args;
  const { documentCount: count } = queries;
  // the vectors of queries are plain, `dim` values a token
  const tokens = queries.vectors.length / queries.dim;
  const few = count < threads && tokens <= MOST_TOKENS;
  if (!few || tokens <= LEAST_TOKENS) return { steps: [step('queryFeatures', args)], z: null };
  const z = await scope.allocate('f32', tokens * featureMap.layout.latentDim);
  const rows = Math.max(LEAST_TOKENS, Math.ceil(tokens / threads));
  return { steps: [step('tokenFeatures', { ...args, tokens, rows, out: z })], z };
}
