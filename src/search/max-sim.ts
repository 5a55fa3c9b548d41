import {
  checkDevice,
  DEVICE_OPTIONS,
  type DeviceOptions,
  resolveDevice,
} from '../device/default-device.js';
import type { SearchDevice } from '../device/device.js';
import { type DeviceTokens, tokenTensors, uploadTokens } from '../device/device-tokens.js';
import { freeWith } from '../device/free-with.js';
import { buildTensors, TensorScope } from '../device/with-tensors.js';
import { invalidArgument, LemurError } from '../errors.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { checkRow } from '../tokens/check-values.js';
import { encodeTokens, learnCodec } from '../tokens/encode-tokens.js';
import { checkPrecision, type Precision } from '../tokens/encodings.js';
import { isTensor, matrixShape, type TokenMatrix } from '../tokens/token-matrix.js';
import {
  type DenseTokens,
  type TokenInput,
  tokenSets,
  tokenSetsOfDim,
} from '../tokens/token-sets.js';
import { describeKind } from '../value-kind.js';
import { allowedDocuments } from './allowed-documents.js';
import { type Candidates, candidateNumbers } from './candidate-lists.js';
import { checkK } from './check-k.js';
import { answerInParts, DeviceQueries } from './device-queries.js';
import { queriesAtOnce, scoreAll, scoreDocuments } from './score-documents.js';
import type { TopK } from './top-documents.js';

/**
 * MaxSim(Q, D) = sum over the query's tokens of the largest inner product with a token of the
 * document (Khattab and Zaharia, ColBERT). Sums in float64. For many documents at once see
 * `MaxSim`. Raises 'dimension-mismatch', 'empty-document', 'not-finite' and 'invalid-argument'.
 *
 * @example
 * maxSim([[1, 0], [0, 1]], [[0.6, 0.8]]); // 0.6 + 0.8
 */
export function maxSim(query: TokenMatrix, document: TokenMatrix): number {
  const q = tokenRows(query, 'query');
  const d = tokenRows(document, 'document');
  if (q[0].length !== d[0].length) {
    throw new LemurError(
      'dimension-mismatch',
      `document: token vectors have ${d[0].length} dimensions, those of the query ${q[0].length}`,
      {
        where: 'document',
        expected: q[0].length,
        got: d[0].length,
      },
    );
  }
  let score = 0;
  for (const x of q) {
    let best = -Infinity;
    for (const y of d) {
      let dot = 0;
      for (let i = 0; i < x.length; i++) dot += x[i] * y[i];
      best = Math.max(best, dot);
    }
    score += best;
  }
  return score;
}

/** How documents are held, and where scores are computed. */
export interface MaxSimOptions extends DeviceOptions, RunOptions {
  /**
   * `int8` takes a quarter of the memory and is faster; the vectors' mean is kept apart, and each
   * value is off by at most 1/254 of its document's largest difference from it. `int4` and `int2`
   * take an eighth and a fifteenth, and take longer to make. Default float32.
   */
  precision?: Precision | undefined;
}

const MAX_SIM_OPTIONS: OptionNames<MaxSimOptions> = {
  precision: true,
  ...DEVICE_OPTIONS,
  ...RUN_OPTIONS,
};

/**
 * What a `MaxSim` holds. It is no method, since it is not public. Raises 'closed', and
 * 'invalid-argument' for anything else.
 */
export let heldDocuments: (exact: MaxSim) => { device: SearchDevice; tokens: DeviceTokens };

/** Of what an encoding draws. */
const SEED = 0;

/** Exact MaxSim against a fixed set of documents: all of them, or candidates found elsewhere. */
export class MaxSim {
  /** Dimension of the token vectors. */
  readonly dim: number;
  /** Number of documents. */
  readonly documents: number;
  /** How token vectors are held. */
  readonly precision: Precision;
  readonly #device: SearchDevice;
  readonly #tokens: DeviceTokens;
  readonly #release: () => void;
  #closed = false;

  /** Use `MaxSim.create`. */
  private constructor(device: SearchDevice, tokens: DeviceTokens, precision: Precision) {
    this.#device = device;
    this.#tokens = tokens;
    this.precision = precision;
    this.dim = tokens.dim;
    this.documents = tokens.documentCount;
    const kept = new TensorScope(device);
    kept.ownAll(tokenTensors(tokens));
    this.#release = freeWith(this, kept);
  }

  static {
    heldDocuments = (exact) => {
      if (!(Object(exact) === exact && #tokens in exact))
        throw invalidArgument('documents', `expected a MaxSim, got ${describeKind(exact)}`);
      exact.#checkOpen();
      return { device: exact.#device, tokens: exact.#tokens };
    };
  }

  /**
   * Checks the documents and puts them where workers can read them; vectors in shared memory are
   * not copied and must not change.
   *
   * @example
   * const exact = await MaxSim.create({ vectors, counts, dim: 128 }, { precision: 'int8' });
   * const { indices, scores } = await exact.search(queries, 10);
   */
  static async create(documents: TokenInput, options: MaxSimOptions = {}): Promise<MaxSim> {
    checkOptions(options, MAX_SIM_OPTIONS, 'MaxSim.create');
    checkDevice(options);
    const { precision = 'float32', signal } = options;
    checkPrecision(precision);
    const sets = await tokenSets(documents, 'documents', signal);
    // of a query of 32 tokens
    const device = await resolveDevice(options, 64 * sets.vectors.length);
    const codec = await learnCodec(precision, sets, SEED, signal);
    const stored = await encodeTokens(sets, codec, signal);
    const tokens = await buildTensors(device, (scope) => uploadTokens(scope, stored));
    return new MaxSim(device, tokens, precision);
  }

  /** Scores of all documents: queries x documents. */
  async score(queries: TokenInput, options: RunOptions = {}): Promise<Float32Array> {
    checkOptions(options, RUN_OPTIONS, 'score');
    const sets = await tokenSetsOfDim(queries, this.dim, 'queries', options.signal);
    this.#checkOpen();
    const uploaded = new DeviceQueries(this.#device, sets);
    try {
      return await scoreAll(this.#device, uploaded, this.#tokens, options);
    } finally {
      await uploaded.close();
    }
  }

  /**
   * The k best documents of each query by exact MaxSim over all of them; equal scores rank by
   * document number.
   */
  async search(queries: TokenInput, k: number, options: RunOptions = {}): Promise<TopK> {
    checkOptions(options, RUN_OPTIONS, 'search');
    checkK(k);
    const sets = await tokenSetsOfDim(queries, this.dim, 'queries', options.signal);
    const all = allowedDocuments(this.documents, null).rows();
    const atOnce = queriesAtOnce(this.documents, this.documents);
    return answerInParts(this.#device, sets, k, atOnce, {}, (part) =>
      this.#scoreLists(part, new Array<Int32Array>(part.count).fill(all), k, options),
    );
  }

  /**
   * The k best of each query's candidates by exact MaxSim. Queries may have any number of tokens. A
   * query with fewer than k candidates gets them all; its row ends in -1 and -Infinity. Equal
   * scores rank by the order of the candidates; a candidate that comes twice stays twice.
   *
   * @example
   * const top = await exact.rerankSubset(queries, 10, await lemur.candidates(queries, 200));
   */
  async rerankSubset(
    queries: TokenInput,
    k: number,
    candidates: Candidates,
    options: RunOptions = {},
  ): Promise<TopK> {
    checkOptions(options, RUN_OPTIONS, 'rerankSubset');
    checkK(k);
    const sets = await tokenSetsOfDim(queries, this.dim, 'queries', options.signal);
    const lists = await candidateNumbers(
      candidates,
      sets.counts.length,
      this.documents,
      options.signal,
    );
    const longest = lists.reduce((most, list) => Math.max(most, list.length), 1);
    return answerInParts(
      this.#device,
      sets,
      k,
      queriesAtOnce(longest, this.documents),
      {},
      (part, from) => this.#scoreLists(part, lists.slice(from, from + part.count), k, options),
    );
  }

  /**
   * `rerankSubset` of queries that all have one number of tokens: `dims` is [queries, tokens, dim].
   */
  rerankSubsetFixed(
    queries: DenseTokens,
    k: number,
    candidates: Candidates,
    options: RunOptions = {},
  ): Promise<TopK> {
    return this.rerankSubset(queries, k, candidates, options);
  }

  /** Frees the documents. Calls after it reject with 'closed'. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #scoreLists(
    queries: DeviceQueries,
    lists: readonly Int32Array[],
    k: number,
    options: RunOptions,
  ): Promise<TopK> {
    this.#checkOpen();
    return scoreDocuments(this.#device, queries, this.#tokens, lists, k, options);
  }

  #checkOpen(): void {
    if (this.#closed)
      throw new LemurError('closed', 'this MaxSim has been closed', { where: 'MaxSim' });
  }
}

function tokenRows(matrix: TokenMatrix, where: string): readonly ArrayLike<number>[] {
  const { rows, dim } = matrixShape(matrix, where);
  if (rows === 0)
    throw new LemurError('empty-document', `${where}: no token vectors`, { where, index: 0 });
  const all: readonly ArrayLike<number>[] = isTensor(matrix)
    ? Array.from({ length: rows }, (_, i) => matrix.data.subarray(i * dim, (i + 1) * dim))
    : matrix;
  for (let i = 0; i < rows; i++) checkRow(all[i], where, i);
  return all;
}
