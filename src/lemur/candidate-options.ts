import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { checkK } from '../search/check-k.js';
import type { FirstStage } from '../search/prefix/first-stage.js';
import { RESCORED } from '../search/prefix/prefix-source.js';
import { showValue } from '../value-kind.js';

/** How candidates are found. */
export interface CandidateOptions extends RunOptions {
  /**
   * `prefix` (default): the documents with the best prefixes are rescored by their full codes.
   * `full`: the inner product with all weights of all documents in float32, the yardstick; it is
   * also what happens with `prefixDim: 0`, fewer than 4,096 documents, or nothing to leave out.
   */
  scan?: 'prefix' | 'full' | undefined;
  /** Documents whose full codes are looked at; at least k. Default 4 k. */
  rescored?: number | undefined;
}

export const CANDIDATE_OPTIONS: OptionNames<CandidateOptions> = {
  scan: true,
  rescored: true,
  ...RUN_OPTIONS,
};

/** Bytes that are read for one query; `prefixes`: null where all weights are scanned. */
export function bytesRead(
  documents: number,
  latentDim: number,
  prefixes: ReturnType<typeof prefixScan>,
): { scanned: number; rescored: number } {
  if (!prefixes) return { scanned: 4 * documents * latentDim, rescored: 0 };
  // a code of full length is int8 with a float32 factor
  return {
    scanned: documents * prefixes.stage.prefixMap.dim,
    rescored: prefixes.rescored * (latentDim + 4),
  };
}

/**
 * The first stage and the number to rescore of a scan of prefixes for k candidates; null where all
 * weights are scanned. Raises 'invalid-argument'.
 */
export function prefixScan(
  stage: FirstStage | null,
  documents: number,
  k: number,
  options: CandidateOptions,
): { stage: FirstStage; rescored: number } | null {
  checkK(k);
  const { scan = 'prefix', rescored = RESCORED * k } = options;
  if (scan !== 'prefix' && scan !== 'full')
    throw new LemurError(
      'invalid-argument',
      `scan: expected 'prefix' or 'full', got ${showValue(scan)}`,
      { where: 'scan' },
    );
  if (!Number.isSafeInteger(rescored) || rescored < k)
    throw new LemurError(
      'invalid-argument',
      `rescored: expected an integer of at least k, ${k}, got ${showValue(rescored)}`,
      { where: 'rescored' },
    );
  return stage && scan === 'prefix' && rescored < documents ? { stage, rescored } : null;
}
