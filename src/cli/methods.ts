import { selectTopK } from '../kernels/top-k.js';
import type { CandidateOptions } from '../lemur/candidates.js';
import type { Lemur } from '../lemur/lemur.js';
import type { MaxSim } from '../search/exact-search.js';
import type { StoredTokens } from './collection.js';

/** Results behind rank k that exact search adds, for ties at the cut. */
const TIES = 10;

/** What a method finds for one query: document numbers, best first, their scores, and the numbers that its first stage let through. */
export interface Found {
  ranking: Int32Array;
  scores: Float32Array;
  candidates: Int32Array;
}

/** One row of the table: a way to search, one query at a time. */
export interface Method {
  name: string;
  /** k'; null for methods without a first stage. */
  numCandidates: number | null;
  search(query: number): Promise<Found>;
  /** What the first pass of a search reads, what it then reads of the documents that it rescores, and all that searches read from: of the whole collection. */
  scannedBytes: number;
  rescoredBytes: number;
  totalBytes: number;
}

/** All documents by MaxSim. */
export function exactMethod(maxSim: MaxSim, documents: StoredTokens, queries: StoredTokens, k: number): Method {
  const tokensOf = oneByOne(queries);
  const bytes = documents.vectors.byteLength;
  return {
    name: 'exact MaxSim',
    numCandidates: null,
    scannedBytes: bytes,
    rescoredBytes: 0,
    totalBytes: bytes,
    async search(query) {
      const { indices, scores } = await maxSim.search(tokensOf(query), k + TIES);
      const count = indices.findIndex((number) => number < 0);
      const ranking = count < 0 ? indices : indices.subarray(0, count);
      return { ranking, scores: scores.subarray(0, ranking.length), candidates: ranking };
    },
  };
}

/** The candidates of learned or random features, reranked by MaxSim. */
export function reducedMethod(
  name: string,
  lemur: Lemur,
  given: {
    maxSim: MaxSim;
    documents: StoredTokens;
    queries: StoredTokens;
    k: number;
    numCandidates: number;
    scan: CandidateOptions['scan'];
  },
): Method {
  const { maxSim, documents, k, numCandidates, scan } = given;
  const tokensOf = oneByOne(given.queries);
  const { scanned, rescored } = lemur.candidateBytes(numCandidates, { scan });
  // any document's code may be asked for: int8 and a float32 factor
  const codes = rescored > 0 ? lemur.documents * (lemur.latentDim + 4) : 0;
  return {
    name: `${name}, k' = ${numCandidates}`,
    numCandidates,
    scannedBytes: scanned,
    rescoredBytes: rescored,
    totalBytes: scanned + codes + documents.vectors.byteLength,
    async search(query) {
      const tokens = tokensOf(query);
      const candidates = await lemur.candidates(tokens, numCandidates, { scan });
      const { indices, scores } = await maxSim.rerankSubset(tokens, k, candidates);
      return { ranking: indices, scores, candidates: candidates.indices };
    },
  };
}

/** One vector for each text, compared with all of them; its "candidates" are its own first `depth`. */
export function pooledMethod(pooled: Float32Array, documents: number, queries: Float32Array, k: number, depth: number): Method {
  const dim = pooled.length / documents;
  const products = new Float32Array(documents);
  return {
    name: 'pooled single vector',
    numCandidates: null,
    scannedBytes: pooled.byteLength,
    rescoredBytes: 0,
    totalBytes: pooled.byteLength,
    async search(query) {
      const q = queries.subarray(query * dim, (query + 1) * dim);
      for (let document = 0, at = 0; document < documents; document++) {
        let sum = 0;
        for (let c = 0; c < dim; c++) sum += q[c] * pooled[at++];
        products[document] = sum;
      }
      const candidates = new Int32Array(Math.min(documents, depth));
      const scores = new Float32Array(candidates.length);
      selectTopK(products, documents, candidates.length, 0, candidates, scores, 0);
      return { ranking: candidates.subarray(0, k), scores, candidates };
    },
  };
}

/** The tokens of one query of many. */
function oneByOne({ vectors, counts, dim }: StoredTokens): (query: number) => StoredTokens {
  const starts = [0];
  for (const count of counts) starts.push(starts[starts.length - 1] + count * dim);
  return (query) => ({ vectors: vectors.subarray(starts[query], starts[query + 1]), counts: counts.subarray(query, query + 1), dim });
}
