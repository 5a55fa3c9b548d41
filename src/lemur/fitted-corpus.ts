import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import type { Tensor } from '../device/memory.js';
import type { SymmetricMatrix } from '../device/symmetric-matrix.js';
import { LemurError } from '../errors.js';
import type { Scaling } from '../learn/scaling.js';
import type { Solver } from '../learn/solver.js';
import type { TargetMoments } from '../learn/target-moments.js';
import type { TokenCodec } from '../tokens/encoding.js';

/** A corpus with the reduction that was learned from it, on the device. */
export interface FittedCorpus extends TargetMoments {
  readonly featureMap: DeviceFeatureMap;
  /** null where no solve sample is known: further documents get no weights then. */
  readonly solver: Solver | null;
  /** Weights of the documents, documents x d'. */
  readonly w: Tensor<'f32'>;
  /** How the tokens of documents are held while targets and weights are computed. */
  readonly codec: TokenCodec;
  /**
   * How many times as long as those of a typical document the vectors of each are, by the longest
   * of them; no lengths where all are alike.
   */
  readonly scaling: Scaling;
}

/** A fitted corpus that gives further documents their weights. */
export interface SolvedCorpus extends FittedCorpus {
  readonly solver: Solver;
}

/** Raises 'unsupported' where it gives none, for a call of that name. */
export function solvedCorpus({ solver, ...rest }: FittedCorpus, where: string): SolvedCorpus {
  if (solver) return { solver, ...rest };
  const advice = 'give Lemur.importReference one: { sample: token vectors, best of the corpus }';
  const message = `${where}: an imported index has no solve sample; ${advice}`;
  throw new LemurError('unsupported', message, { where });
}

/** All that a fitted corpus keeps on the device. */
export function keptOfCorpus({
  featureMap,
  solver,
  w,
}: FittedCorpus): (Tensor | SymmetricMatrix)[] {
  return [featureMap.parameters, w, ...(solver ? [solver.x, solver.z, solver.factor] : [])];
}
