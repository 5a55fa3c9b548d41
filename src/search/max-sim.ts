import { isNumberArray } from '../bytes/typed-array.js';
import {
  checkDevice,
  DEVICE_OPTIONS,
  type DeviceOptions,
  resolveDevice,
} from '../device/default-device.js';
import type { SearchDevice } from '../device/device.js';
import { type DeviceTokens, tokenTensors, uploadTokens } from '../device/device-tokens.js';
import { freeWith } from '../device/free-with.js';
import { buildTensors, TensorScope, withTensors } from '../device/with-tensors.js';
import { LemurError } from '../errors.js';
import { selectTopKPaced } from '../kernels/top-k.js';
import { checkOptions, type OptionNames } from '../known-options.js';
import { stepPacer } from '../pacer.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { encodeTokens, learnCodec } from '../tokens/encode-tokens.js';
import { checkPrecision, type Precision } from '../tokens/encodings.js';
import { sliceTexts } from '../tokens/slice-texts.js';
import {
  type DenseTokens,
  type TokenInput,
  type TokenSets,
  tokenSets,
  tokenSetsOfDim,
} from '../tokens/token-sets.js';
import { describeKind, showValue } from '../value-kind.js';
import { checkK } from './check-k.js';
import type { Candidates, TopK } from './top-documents.js';

/** How documents are held, and where scores are computed. */
export interface MaxSimOptions extends DeviceOptions, RunOptions {
  /**
   * `int8` takes a quarter of the memory and is faster; the vectors' mean is kept apart, and each
   * value is off by at most 1/254 of its document's largest difference from it. Default float32.
   */
  precision?: Precision | undefined;
}

const MAX_SIM_OPTIONS: OptionNames<MaxSimOptions> = {
  precision: true,
  ...DEVICE_OPTIONS,
  ...RUN_OPTIONS,
};

/** Of what an encoding draws. */
const SEED = 0;
/** Candidates that count as a step between two turns of the event loop. */
const NUMBERS = 16;
/** Scores held at once while a corpus is searched exactly. */
const SCORES_AT_ONCE = 1 << 24;

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
    const device = await resolveDevice(options);
    const codec = await learnCodec(precision, sets, SEED, signal);
    const stored = await encodeTokens(sets, codec, signal);
    const tokens = await buildTensors(device, (scope) => uploadTokens(scope, stored));
    return new MaxSim(device, tokens, precision);
  }

  /** Scores of all documents: queries x documents. */
  async score(queries: TokenInput, options: RunOptions = {}): Promise<Float32Array> {
    checkOptions(options, RUN_OPTIONS, 'score');
    const sets = await tokenSetsOfDim(queries, this.dim, 'queries', options.signal);
    return this.#score(sets, options);
  }

  /**
   * The k best documents of each query by exact MaxSim over all of them; equal scores rank by
   * document number.
   */
  async search(queries: TokenInput, k: number, options: RunOptions = {}): Promise<TopK> {
    checkOptions(options, RUN_OPTIONS, 'search');
    checkK(k);
    const sets = await tokenSetsOfDim(queries, this.dim, 'queries', options.signal);
    const count = sets.counts.length;
    const top = emptyTopK(count, k);
    const turn = stepPacer(options.signal);
    const step = Math.max(1, Math.floor(SCORES_AT_ONCE / this.documents));
    for (let from = 0; from < count; from += step) {
      const to = Math.min(count, from + step);
      const scores = await this.#score(sliceTexts(sets, from, to), options);
      for (let q = from; q < to; q++) {
        const row = scores.subarray((q - from) * this.documents, (q - from + 1) * this.documents);
        await selectTopKPaced(row, this.documents, k, top.indices, top.scores, q * k, turn);
      }
    }
    return top;
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
    const count = sets.counts.length;
    const turn = stepPacer(options.signal);
    const { numbers, offsets } = await this.#checkCandidates(candidates, count, turn);
    const top = emptyTopK(count, k);
    if (numbers.length === 0) return top;
    const device = this.#openDevice();
    const scores = await withTensors(device, async (scope) => {
      const uploaded = await uploadTokens(scope, sets);
      const chosen = await scope.upload('i32', numbers);
      const out = await scope.allocate('f32', numbers.length);
      await device.maxSimSubset(uploaded, this.#tokens, chosen, offsets, out, options);
      return device.read(out);
    });
    for (let q = 0; q < count; q++) {
      const from = offsets[q];
      const some = scores.subarray(from, offsets[q + 1]);
      const found = await selectTopKPaced(
        some,
        some.length,
        k,
        top.indices,
        top.scores,
        q * k,
        turn,
      );
      for (let i = q * k; i < q * k + found; i++) top.indices[i] = numbers[from + top.indices[i]];
    }
    return top;
  }

  /**
   * The same for queries that all have the same number of tokens: `dims` is [queries, tokens, dim].
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

  async #score(sets: TokenSets, options: RunOptions): Promise<Float32Array> {
    const device = this.#openDevice();
    return withTensors(device, async (scope) => {
      const uploaded = await uploadTokens(scope, sets);
      const out = await scope.allocate('f32', sets.counts.length * this.documents);
      await device.maxSim(uploaded, this.#tokens, out, options);
      return device.read(out);
    });
  }

  #openDevice(): SearchDevice {
    if (!this.#closed) return this.#device;
    throw new LemurError('closed', 'this MaxSim has been closed', { where: 'MaxSim' });
  }

  async #checkCandidates(
    candidates: Candidates,
    queries: number,
    turn: (steps?: number) => Promise<void> | undefined,
  ): Promise<{ numbers: Int32Array; offsets: Int32Array }> {
    const lists = listsOf(candidates);
    if (lists.length !== queries) {
      throw new LemurError(
        'invalid-argument',
        `candidates: lists for ${lists.length} queries, expected ${queries}`,
        {
          where: 'candidates',
        },
      );
    }
    const offsets = new Int32Array(queries + 1);
    const numbers: number[] = [];
    for (let q = 0; q < queries; q++) {
      for (let i = 0; i < lists[q].length; i++) {
        const number = lists[q][i];
        if (!Number.isInteger(number) || number >= this.documents) {
          throw new LemurError(
            'invalid-argument',
            `candidates[${q}][${i}]: expected a document number below ${this.documents}, got ${showValue(number)}`,
            {
              where: 'candidates',
            },
          );
        }
        if (number >= 0) numbers.push(number);
        if (i % NUMBERS === 0) await turn();
      }
      offsets[q + 1] = numbers.length;
    }
    return { numbers: Int32Array.from(numbers), offsets };
  }
}

function emptyTopK(queries: number, k: number): TopK {
  return {
    indices: new Int32Array(queries * k).fill(-1),
    scores: new Float32Array(queries * k).fill(-Infinity),
    k,
  };
}

/** A list of numbers for each query. Raises 'invalid-argument' for what is none. */
function listsOf(candidates: Candidates): readonly ArrayLike<number>[] {
  const top =
    typeof candidates === 'object' &&
    candidates !== null &&
    !Array.isArray(candidates) &&
    'indices' in candidates;
  if (top && isNumberArray(candidates.indices) && Number.isSafeInteger(candidates.k))
    return rowsOf(candidates.indices as Int32Array, candidates.k);
  if (!top && Array.isArray(candidates)) {
    const wrong = candidates.findIndex((list) => !isNumberArray(list));
    if (wrong < 0) return candidates as readonly ArrayLike<number>[];
    throw refused(
      `candidates[${wrong}]`,
      `expected an array of document numbers, got ${describeKind(candidates[wrong])}`,
    );
  }
  const got = top
    ? `indices: ${describeKind(candidates.indices)}, k: ${describeKind(candidates.k)}`
    : describeKind(candidates);
  throw refused('candidates', `expected { indices, k } or an array of lists, got ${got}`);
}

function refused(where: string, problem: string): LemurError {
  return new LemurError('invalid-argument', `${where}: ${problem}`, { where: 'candidates' });
}

function rowsOf(indices: Int32Array, k: number): Int32Array[] {
  return Array.from({ length: k > 0 ? indices.length / k : 0 }, (_, i) =>
    indices.slice(i * k, (i + 1) * k),
  );
}
