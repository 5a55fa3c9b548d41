import type { CandidateSource } from './candidate-source.js';

/** Every document that is allowed, one list for all queries: an exact search. */
export const exactSource: CandidateSource = {
  name: 'exact',
  async candidates({ tokens }, _k, { allowed }) {
    return new Array<Int32Array>(tokens.counts.length).fill(allowed.rows());
  },
};
