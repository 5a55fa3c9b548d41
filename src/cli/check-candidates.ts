import { LemurError } from '../errors.js';

/** Raises 'invalid-argument' for fewer candidates than results. */
export function checkCandidates(candidates: readonly number[], k: number): void {
  const small = candidates.find((n) => n < k);
  if (small === undefined) return;
  const why = `the ${k} results are chosen among the candidates, so expected at least ${k}`;
  throw new LemurError('invalid-argument', `--candidates ${small} is below -k ${k}: ${why}`, {
    where: 'candidates',
  });
}
