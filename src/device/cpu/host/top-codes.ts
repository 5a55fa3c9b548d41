import type { DeviceCodes } from '../../device-codes.js';
import type { Tensor } from '../../memory.js';
import type { TopCodesOptions, TopRows } from '../../retriever.js';
import { type TensorScope, withTensors } from '../../with-tensors.js';
import { bestListed, type PrefixLists, selectRows } from '../operations/rescore.js';
import { blocksOf, emptyTop, inPasses, maskOf, queriesOfPass } from './query-passes.js';
import type { Run } from './run.js';
import type { TensorStore } from './tensor-store.js';

/** Rows of a block at least. */
const LEAST_ROWS = 2048;
/** Rows listed by a pass over prefixes, for all its queries and blocks together. */
const LISTED_AT_ONCE = 1 << 22;

/** What is searched for what. */
export interface CodeQueries {
  /** count x d'. */
  queries: Tensor<'f32'>;
  /** count x prefixDim. */
  prefixes: Tensor<'f32'>;
  count: number;
}

/** Queries of one pass, and what their prefixes have found. */
interface Pass {
  queries: Tensor<'f32'>;
  shifts: Tensor<'f32'> | null;
  lists: PrefixLists & { rows: Tensor<'i32'>; prefixScores: Tensor<'f32'> };
}

/**
 * A search of document codes: a scan of all prefixes, after which the rows with the best are looked
 * at by their full codes. `threads` says how the work is cut, not what comes out.
 */
export class CodeSearch {
  readonly #store: TensorStore;
  readonly #run: Run;
  readonly #threads: number;
  readonly #documents: DeviceCodes;
  readonly #options: TopCodesOptions;
  readonly #allowed: Tensor<'i8'> | null;

  constructor(
    store: TensorStore,
    run: Run,
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
    await inPasses(count, this.#options, most, (from, some) =>
      withTensors(this.#store, async (scope) => {
        const best = await this.#rescore(await this.#scan(scope, of, listed, from, some), kept);
        for (let q = 0; q < some; q++) {
          top.indices.set(best.indices.subarray(q * kept, (q + 1) * kept), (from + q) * k);
          top.scores.set(best.scores.subarray(q * kept, (q + 1) * kept), (from + q) * k);
        }
      }),
    );
    return top;
  }

  /** Lists the rows with the best prefixes, block by block, for queries from .. from + some. */
  async #scan(
    scope: TensorScope,
    { queries, prefixes }: CodeQueries,
    listed: number,
    from: number,
    some: number,
  ): Promise<Pass> {
    const documents = this.#documents;
    const { shifts: all, signal } = this.#options;
    const { blockRows, blocks } = blocksOf(documents.rows, LEAST_ROWS);
    const shifts = all && (await queriesOfPass(this.#store, scope, all, 1, from, some));
    const part = (of: Tensor<'f32'>, dim: number): Promise<Tensor<'f32'>> =>
      queriesOfPass(this.#store, scope, of, dim, from, some);
    const rows = await scope.allocate('i32', blocks * some * listed);
    const scores = await scope.allocate('f32', blocks * some * listed);
    const args = { documents, queries: await part(prefixes, documents.prefixDim), count: some };
    const out = { k: listed, allowed: this.#allowed, shifts: shifts ?? null, blockRows };
    await this.#run('scanPrefix', { ...args, ...out, rows, scores }, { signal });
    return {
      queries: await part(queries, documents.dim),
      shifts: shifts ?? null,
      lists: { blocks, count: some, listed, rows, prefixScores: scores },
    };
  }

  /**
   * Of each query's best rows by prefixes the k best by full codes. Where those are read from files
   * and there are workers enough for two a query, they share its rows: then the little that is left
   * of the choice is made here, which costs less than two more jobs.
   */
  #rescore(pass: Pass, k: number): Promise<TopRows> {
    const shared = 2 * pass.lists.count <= this.#threads;
    return shared && this.#store.inFiles(this.#documents.full)
      ? this.#rescoreRows(pass, k)
      : this.#rescoreQueries(pass, k);
  }

  #rescoreQueries({ queries, shifts, lists }: Pass, k: number): Promise<TopRows> {
    return withTensors(this.#store, async (scope) => {
      const indices = await scope.allocate('i32', lists.count * k);
      const scores = await scope.allocate('f32', lists.count * k);
      const args = { documents: this.#documents, queries, shifts, ...lists, k, indices, scores };
      await this.#run('rescore', args, { signal: this.#options.signal });
      return { indices: await this.#store.read(indices), scores: await this.#store.read(scores) };
    });
  }

  async #rescoreRows({ queries, shifts, lists }: Pass, k: number): Promise<TopRows> {
    const { count, listed } = lists;
    const numbers = await this.#bestListed(lists);
    const chosen = new Int32Array(count * listed).fill(-1);
    for (const [q, list] of numbers.entries()) chosen.set(list, q * listed);
    const estimates = await withTensors(this.#store, async (scope) => {
      const rows = await scope.upload('i32', chosen);
      const scores = await scope.allocate('f32', count * listed);
      const args = { documents: this.#documents, queries, shifts, count, listed, rows, scores };
      await this.#run('scoreRows', args, { signal: this.#options.signal });
      return this.#store.read(scores);
    });
    const top = { indices: new Int32Array(count * k), scores: new Float32Array(count * k) };
    for (const [q, list] of numbers.entries()) {
      const own = estimates.subarray(q * listed, q * listed + list.length);
      selectRows(own, list, k, top.indices, top.scores, q * k);
    }
    return top;
  }

  /** The rows of each query with the best prefixes in all blocks, ascending. */
  async #bestListed(lists: Pass['lists']): Promise<Int32Array[]> {
    const rows = await this.#store.read(lists.rows);
    const scores = await this.#store.read(lists.prefixScores);
    const arrays = {
      ints: (length: number) => new Int32Array(length),
      floats: (length: number) => new Float32Array(length),
    };
    return Array.from({ length: lists.count }, (_, q) =>
      bestListed(lists, q, rows, scores, arrays),
    );
  }
}
