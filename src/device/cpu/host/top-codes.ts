import type { DeviceCodes } from '../../device-codes.js';
import type { Tensor } from '../../memory.js';
import type { TokenQueries, TopCodesOptions, TopRows } from '../../retriever.js';
import { type TensorScope, withTensors } from '../../with-tensors.js';
import { queryFeatureSteps } from './query-feature-steps.js';
import { blocksOf, emptyTop, inPasses, maskOf, queriesOfPass } from './query-passes.js';
import { type RunSteps, type Step, step } from './run.js';
import type { TensorStore } from './tensor-store.js';

/** Rows of a block of the scan at least. */
const LEAST_ROWS = 2048;
/** Rows listed by a pass over prefixes, for all its queries and blocks together. */
const LISTED_AT_ONCE = 1 << 22;
/** Rows of a query whose full codes are looked at in a block, where several workers share them. */
const RESCORED_ROWS = 64;

/** What is searched for what. */
export interface CodeQueries {
  /** count x d'. */
  queries: Tensor<'f32'>;
  /** count x prefixDim. */
  prefixes: Tensor<'f32'>;
  count: number;
  /** What computes them; empty: they are there. */
  steps: readonly Step[];
}

/**
 * A search of document codes: a scan of all prefixes, after which the rows with the best are looked
 * at by their full codes. `threads` says how the work is cut, not what comes out.
 */
export class CodeSearch {
  readonly #store: TensorStore;
  readonly #run: RunSteps;
  readonly #threads: number;
  readonly #documents: DeviceCodes;
  readonly #options: TopCodesOptions;
  readonly #allowed: Tensor<'i8'> | null;

  constructor(
    store: TensorStore,
    run: RunSteps,
    threads: number,
    documents: DeviceCodes,
    options: TopCodesOptions,
  ) {
    this.#store = store;
    this.#run = run;
    this.#threads = threads;
    this.#documents = documents;
    this.#options = options;
    this.#allowed = maskOf(options.allowed, documents.rows);
  }

  /** The k best of the `rescored` rows with the best prefixes, for each query. */
  async top(of: CodeQueries, rescored: number, k: number): Promise<TopRows> {
    const { rows } = this.#documents;
    const { count } = of;
    const top = emptyTop(count, k);
    const listed = Math.min(Math.max(rescored, k), rows);
    const kept = Math.min(k, rows);
    const { blocks } = blocksOf(rows, LEAST_ROWS);
    const most = Math.max(1, Math.floor(LISTED_AT_ONCE / (blocks * listed)));
    let before = of.steps;
    await inPasses(count, this.#options, most, (from, some) =>
      withTensors(this.#store, async (scope) => {
        if (some < count && before.length > 0) {
          // parts of the queries are copied out of all of them
          await this.#run(before, this.#signal);
          before = [];
        }
        const best = await this.#best(scope, before, of, listed, kept, from, some);
        for (let q = 0; q < some; q++) {
          top.indices.set(best.indices.subarray(q * kept, (q + 1) * kept), (from + q) * k);
          top.scores.set(best.scores.subarray(q * kept, (q + 1) * kept), (from + q) * k);
        }
      }),
    );
    return top;
  }

  /** `topCodes` of token vectors, and their features. */
  async topOfTokens(
    { featureMap, tokens, projection, means }: TokenQueries,
    rescored: number,
    k: number,
  ): Promise<TopRows & { features: Float32Array }> {
    const { dim, prefixDim } = this.#documents;
    const count = tokens.documentCount;
    return withTensors(this.#store, async (scope) => {
      const features = await scope.allocate('f32', count * dim);
      const prefixes = await scope.allocate('f32', count * prefixDim);
      const shifts = means && (await scope.allocate('f32', count));
      const map = { featureMap, queries: tokens, out: features };
      const made = await queryFeatureSteps(scope, map, this.#threads);
      const project = step('projectQueries', {
        ...{ queries: tokens, dim, z: made.z, features, projection, prefixDim, prefixes },
        columns: this.#shares(count) ? Math.ceil(prefixDim / this.#threads) : prefixDim,
        means: means && shifts && { ...means, shifts },
      });
      const of = { queries: features, prefixes, count, steps: [...made.steps, project] };
      const options = { ...this.#options, shifts };
      const search = new CodeSearch(
        this.#store,
        this.#run,
        this.#threads,
        this.#documents,
        options,
      );
      const top = await search.top(of, rescored, k);
      return { ...top, features: await this.#store.read(features) };
    });
  }

  /** Of queries from .. from + some: scan, choice, full codes and the k best, in one trip. */
  async #best(
    scope: TensorScope,
    before: readonly Step[],
    of: CodeQueries,
    listed: number,
    k: number,
    from: number,
    some: number,
  ): Promise<TopRows> {
    const documents = this.#documents;
    const { shifts: all } = this.#options;
    const part = (tensor: Tensor<'f32'>, dim: number): Promise<Tensor<'f32'>> =>
      queriesOfPass(this.#store, scope, tensor, dim, from, some);
    const shifts = all ? await part(all, 1) : null;
    const queries = await part(of.queries, documents.dim);
    const prefixes = await part(of.prefixes, documents.prefixDim);
    const { blockRows, blocks } = blocksOf(documents.rows, LEAST_ROWS);
    const found = await scope.allocate('i32', blocks * some * listed);
    const foundScores = await scope.allocate('f32', blocks * some * listed);
    const rows = await scope.allocate('i32', some * listed);
    const scores = await scope.allocate('f32', some * listed);
    const indices = await scope.allocate('i32', some * k);
    const best = await scope.allocate('f32', some * k);
    const floors = await scope.upload('f32', new Float32Array(some).fill(-Infinity));
    const scan = {
      documents,
      queries: prefixes,
      count: some,
      k: listed,
      shifts,
      blockRows,
      floors,
    };
    const lists = { blocks, count: some, listed, found, foundScores, rows };
    const asked = { documents, queries, shifts, count: some, listed, rows, scores };
    const each = this.#shares(some) ? RESCORED_ROWS : listed;
    const steps = [
      ...before,
      step('scanPrefix', { ...scan, allowed: this.#allowed, rows: found, scores: foundScores }),
      step('chooseRows', lists),
      step('scoreRows', { ...asked, blockRows: each }),
      step('selectScored', { count: some, listed, rows, scores, k, indices, best }),
    ];
    await this.#run(steps, this.#signal);
    return { indices: await this.#store.read(indices), scores: await this.#store.read(best) };
  }

  /** Progress is told of queries, not of blocks. */
  get #signal(): Pick<TopCodesOptions, 'signal'> {
    return { signal: this.#options.signal };
  }

  /** Whether workers would idle with a query a block. */
  #shares(count: number): boolean {
    return this.#threads > 1 && count < 4 * this.#threads;
  }
}
