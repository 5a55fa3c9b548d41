import {
  defaultLearnTokens,
  type FitOptions,
  type ResolvedLearnOptions,
} from '../learn/learn-options.js';
import { resolveLearnOptions } from '../learn/resolve-learn-options.js';
import {
  type TokenInput,
  type TokenSets,
  tokenSets,
  tokenSetsOfDim,
} from '../tokens/token-sets.js';

/** A corpus to be fitted, and all that is chosen for it. */
export interface FitInput {
  corpus: TokenSets;
  /** Tokens to learn from: the caller's queries, or the corpus itself. */
  learn: TokenSets;
  test: TokenSets | null;
  chosen: ResolvedLearnOptions;
}

/** Checks everything that a fit is given before anything is computed; rejects as `Lemur.fit`. */
export async function checkFitInput(documents: TokenInput, options: FitOptions): Promise<FitInput> {
  const resolved = resolveLearnOptions(options);
  const { signal, learn, test } = options;
  signal?.throwIfAborted();
  const corpus = await tokenSets(documents, 'documents', signal);
  const tokens = corpus.vectors.length / corpus.dim;
  const learnSubsetSize = options.learnSubsetSize ?? defaultLearnTokens(tokens);
  return {
    corpus,
    learn: learn ? await tokenSetsOfDim(learn, corpus.dim, 'learn', signal) : corpus,
    test: test ? await tokenSetsOfDim(test, corpus.dim, 'test', signal) : null,
    chosen: { ...resolved, learnSubsetSize },
  };
}
