import type { SearchDevice } from '../device/device.js';
import { invalidArgument, LemurError } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { allowedDocuments } from '../search/allowed-documents.js';
import { checkK } from '../search/check-k.js';
import { heldDocuments, type MaxSim } from '../search/max-sim.js';
import type { FirstStage } from '../search/prefix/first-stage.js';
import { wholeSearch } from '../search/prefix/whole-search.js';
import type { TopK } from '../search/top-documents.js';
import { type TokenInput, tokenSetsOfDim } from '../tokens/token-sets.js';
import { showValue } from '../value-kind.js';
import { CANDIDATE_OPTIONS, type CandidateOptions, prefixScan } from './candidate-options.js';
import type { FittedCorpus } from './fitted-corpus.js';

/** Candidates of a search that says nothing. */
const DEFAULT_CANDIDATES = 200;

/** How candidates are found, and how many of them are scored exactly. */
export interface LemurSearchOptions extends CandidateOptions {
  /** Documents of each query that are scored exactly; at least k. Default 200, at least 2 k. */
  numCandidates?: number | undefined;
}

const LEMUR_SEARCH_OPTIONS: OptionNames<LemurSearchOptions> = {
  numCandidates: true,
  ...CANDIDATE_OPTIONS,
};

/** What callers see of a `Lemur`. */
interface Reduction {
  documents: number;
  dim: number;
  candidates(queries: TokenInput, k: number, options: CandidateOptions): Promise<TopK>;
}

/** What it searches with. */
interface Learned {
  device: SearchDevice;
  firstStage: FirstStage | null;
  /** Raises 'closed'. */
  open: () => FittedCorpus;
}

/** `Lemur.search`: one call of the device where both are on it and prefixes are scanned. */
export async function searchReranked(
  lemur: Reduction,
  { device, firstStage, open }: Learned,
  queries: TokenInput,
  k: number,
  documents: MaxSim,
  options: LemurSearchOptions,
): Promise<TopK> {
  checkOptions(options, LEMUR_SEARCH_OPTIONS, 'search');
  checkK(k);
  const { numCandidates = Math.max(DEFAULT_CANDIDATES, 2 * k), ...finding } = options;
  const { signal, onProgress } = options;
  checkCandidates(numCandidates, k);
  checkDocuments(lemur, documents);
  const prefixes = prefixScan(firstStage, lemur.documents, numCandidates, finding);
  const tokens = await tokenSetsOfDim(queries, lemur.dim, 'queries', signal);
  const { featureMap } = open();
  const held = heldDocuments(documents);
  if (!prefixes || held.device !== device) {
    const found = await lemur.candidates(tokens, numCandidates, finding);
    return documents.rerankSubset(tokens, k, found, { signal, onProgress });
  }
  const { stage, rescored } = prefixes;
  const found = await wholeSearch(
    device,
    { stage, tokens: held.tokens },
    { tokens, featureMap: () => featureMap },
    {
      ...{ candidates: numCandidates, rescored, k, signal, onProgress },
      allowed: allowedDocuments(lemur.documents, null),
    },
  );
  return found.top;
}

function checkCandidates(numCandidates: unknown, k: number): void {
  if (Number.isSafeInteger(numCandidates) && (numCandidates as number) >= k) return;
  throw invalidArgument(
    'numCandidates',
    `expected an integer of at least k, ${k}, got ${showValue(numCandidates)}`,
  );
}

/** Raises 'invalid-argument' and 'dimension-mismatch' for others than were learned. */
function checkDocuments(lemur: Reduction, documents: MaxSim): void {
  const held = heldDocuments(documents);
  const got = held.tokens.documentCount;
  if (got !== lemur.documents)
    throw invalidArgument(
      'documents',
      `expected the ${lemur.documents} documents that were learned, got ${got}`,
    );
  if (held.tokens.dim === lemur.dim) return;
  const message = `documents: ${held.tokens.dim} dimensions, expected ${lemur.dim}`;
  const fields = { where: 'documents', expected: lemur.dim, got: held.tokens.dim };
  throw new LemurError('dimension-mismatch', message, fields);
}
