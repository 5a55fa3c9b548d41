import type { Device } from '../device/device.js';
import type { ResolvedLearnOptions } from '../learn/learn-options.js';
import type { Solver } from '../learn/solver.js';
import type { RunOptions } from '../run-options.js';
import { createFirstStage, type FirstStage } from '../search/prefix/first-stage.js';
import { fitPrefixMap, type PrefixMap } from '../search/prefix/prefix-map.js';
import type { FittedCorpus } from './fitted-corpus.js';

/**
 * With fewer documents one query takes less time by a scan of all weights
 * (docs/benchmarks/first-stage.md).
 */
const LEAST_FOR_PREFIXES = 4096;

/**
 * The first stage of a fit, by a stored map or a new one; null where none is wanted or possible.
 */
export async function firstStageOf(
  device: Device,
  { solver, w, featureMap, scaling }: FittedCorpus,
  { prefixDim, seed }: ResolvedLearnOptions,
  stored: PrefixMap | undefined,
  options: RunOptions,
): Promise<FirstStage | null> {
  const { latentDim } = featureMap.layout;
  const wanted = prefixDim > 0 && w.length >= LEAST_FOR_PREFIXES * latentDim;
  if (!stored && !(wanted && solver)) return null;
  const newMap = async (of: Solver): Promise<PrefixMap | null> =>
    fitPrefixMap(device, of, w, latentDim, Math.min(prefixDim, latentDim), seed, options, scaling);
  const found = stored ?? (solver && (await newMap(solver)));
  return found && createFirstStage(device, found, w, scaling.lengths, options);
}
