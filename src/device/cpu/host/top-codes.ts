import type { DeviceCodes } from '../../device-codes.js';
import type { Tensor } from '../../memory.js';
import type { TokenQueries, TopOptions, TopRows } from '../../retriever.js';
import type { KeptTensors, SearchTensors } from './kept-tensors.js';
import { queryFeatureSteps } from './query-feature-steps.js';
import { blocksOf, emptyTop, inPasses, maskOf, putRows, queriesOfPass } from './query-passes.js';
import { type RunSteps, type Step, step } from './run.js';
import { scanSteps } from './scan-steps.js';
import type { TensorStore } from './tensor-store.js';

/** Rows of a block of the scan, at least; fewer where as many for each worker are left then. */
const LEAST_ROWS = 2048;
const LEAST_SHARED_ROWS = 256;
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
  /** Of codes with lengths; null: without. */
  shifts: Tensor<'f32'> | null;
  count: number;
  /** What computes them; empty: they are there. */
  steps: readonly Step[];
}

/** What finds the rows of a query, and where they are then. */
export interface ChosenRows {
  steps: readonly Step[];
  /** Queries x k: rows, best first; short ones end in -1. */
  indices: Tensor<'i32'>;
  scores: Tensor<'f32'>;
}

/** What searches are made with. */
export interface SearchHost {
  store: TensorStore;
  kept: KeptTensors;
  run: RunSteps;
  /** Says how the work is cut, not what comes out. */
  threads: number;
  /** Whether documents get a first look where the best are asked for. */
  firstLook: boolean;
}

/**
 * A search of document codes: a scan of all prefixes, after which the rows with the best are looked
 * at by their full codes.
 */
export class CodeSearch {
  readonly #host: SearchHost;
  readonly #documents: DeviceCodes;
  readonly #options: TopOptions;
  readonly #allowed: Tensor<'i8'> | null;

  constructor(host: SearchHost, documents: DeviceCodes, options: TopOptions) {
    this.#host = host;
    this.#documents = documents;
    this.#options = options;
    this.#allowed = maskOf(options.allowed, documents.rows);
  }

  /** Rows that are looked at by full codes. */
  listed(rescored: number, k: number): number {
    return Math.min(Math.max(rescored, k), this.#documents.rows);
  }

  /** Queries of a pass in which each lists so many rows. */
  queriesAtOnce(listed: number): number {
    const { blocks } = this.#scanBlocks(1);
    return Math.max(1, Math.floor(LISTED_AT_ONCE / (blocks * listed)));
  }

  /** The k best of the `rescored` rows with the best prefixes, for each query. */
  async top(of: CodeQueries, rescored: number, k: number): Promise<TopRows> {
    const { store, kept, run } = this.#host;
    const { count } = of;
    const top = emptyTop(count, k);
    const listed = this.listed(rescored, k);
    const most = Math.min(k, this.#documents.rows);
    let before = of.steps;
    await inPasses(count, this.#options, this.queriesAtOnce(listed), (from, some) =>
      kept.use(async (tensors) => {
        if (some < count && before.length > 0) {
          // parts of the queries are copied out of all of them
          await run(before, this.#signal);
          before = [];
        }
        const part = await this.#part(tensors, of, from, some);
        const { steps, indices, scores } = await this.choose(tensors, part, listed, most);
        await run([...before, ...steps], this.#signal);
        putRows(top, k, from, some, await store.read(indices), await store.read(scores));
      }),
    );
    return top;
  }

  /** `topCodes` of token vectors, and their features. */
  topOfTokens(
    queries: TokenQueries,
    rescored: number,
    k: number,
  ): Promise<TopRows & { features: Float32Array }> {
    return this.#host.kept.use(async (tensors) => {
      const of = await this.reduce(tensors, queries);
      const top = await this.top(of, rescored, k);
      return { ...top, features: await this.#host.store.read(of.queries) };
    });
  }

  /** Features and prefixes of token vectors. */
  async reduce(
    tensors: SearchTensors,
    { featureMap, tokens, projection, means }: TokenQueries,
  ): Promise<CodeQueries> {
    const { threads } = this.#host;
    const { dim, prefixDim } = this.#documents;
    const count = tokens.documentCount;
    const features = await tensors.allocate('f32', count * dim);
    const prefixes = await tensors.allocate('f32', count * prefixDim);
    const shifts = means && (await tensors.allocate('f32', count));
    const map = { featureMap, queries: tokens, out: features };
    const made = await queryFeatureSteps(tensors, map, threads);
    const project = step('projectQueries', {
      ...{ queries: tokens, dim, z: made.z, features, projection, prefixDim, prefixes },
      columns: this.#shares(count) ? Math.ceil(prefixDim / threads) : prefixDim,
      means: means && shifts && { ...means, shifts },
    });
    return { queries: features, prefixes, shifts, count, steps: [...made.steps, project] };
  }

  /** Scan, choice, full codes and the k best of queries, of which the steps are not repeated. */
  async choose(
    tensors: SearchTensors,
    { queries, prefixes, shifts, count }: CodeQueries,
    listed: number,
    k: number,
  ): Promise<ChosenRows> {
    const documents = this.#documents;
    const { blockRows, blocks } = this.#scanBlocks(count);
    const found = await tensors.allocate('i32', blocks * count * listed);
    const foundScores = await tensors.allocate('f32', blocks * count * listed);
    const rows = await tensors.allocate('i32', count * listed);
    const estimates = await tensors.allocate('f32', count * listed);
    const indices = await tensors.allocate('i32', count * k);
    const scores = await tensors.allocate('f32', count * k);
    const floors = await tensors.upload('f32', new Float32Array(count).fill(-Infinity));
    const scan = {
      ...{ documents, queries: prefixes, count, k: listed, shifts, blockRows, floors },
      ...{ allowed: this.#allowed, rows: found, scores: foundScores },
    };
    const lists = { blocks, count, listed, found, foundScores, rows };
    const asked = { documents, queries, shifts, count, listed, rows, scores: estimates };
    const each = this.#shares(count) ? RESCORED_ROWS : listed;
    const best = { count, listed, rows, scores: estimates, k, indices, best: scores };
    const steps = [
      ...scanSteps(scan, blocks, this.#host.threads),
      step('chooseRows', lists),
      step('scoreRows', { ...asked, blockRows: each }),
      step('selectScored', best),
    ];
    return { steps, indices, scores };
  }

  /** Of a scan for so many queries. */
  #scanBlocks(count: number): { blockRows: number; blocks: number } {
    const { rows } = this.#documents;
    const whole = blocksOf(rows, LEAST_ROWS);
    if (!this.#shares(count)) return whole;
    const { threads } = this.#host;
    const each = Math.ceil(rows / (threads * Math.ceil(whole.blocks / threads)));
    return blocksOf(rows, Math.max(LEAST_SHARED_ROWS, 64 * Math.ceil(each / 64)));
  }

  /** Queries from .. from + some. */
  async #part(
    tensors: SearchTensors,
    { queries, prefixes, shifts }: CodeQueries,
    from: number,
    some: number,
  ): Promise<CodeQueries> {
    const { dim, prefixDim } = this.#documents;
    const part = (tensor: Tensor<'f32'>, width: number): Promise<Tensor<'f32'>> =>
      queriesOfPass(this.#host.store, tensors, tensor, width, from, some);
    return {
      queries: await part(queries, dim),
      prefixes: await part(prefixes, prefixDim),
      shifts: shifts && (await part(shifts, 1)),
      count: some,
      steps: [],
    };
  }

  /** Progress is told of queries, not of blocks. */
  get #signal(): Pick<TopOptions, 'signal'> {
    return { signal: this.#options.signal };
  }

  /** Whether workers would idle with a query a block. */
  #shares(count: number): boolean {
    const { threads } = this.#host;
    return threads > 1 && count < 4 * threads;
  }
}
