import { LemurError } from '../../../errors.js';
import { selectTopK } from '../../../kernels/top-k.js';
import type { RunOptions } from '../../../run-options.js';
import type { DeviceCodes } from '../../device-codes.js';
import type { Tensor } from '../../memory.js';
import type { Retriever } from '../../retriever.js';
import { bestListed, type PrefixLists, selectRows } from '../operations/rescore.js';
import type { Run } from './run.js';
import type { TensorStore } from './tensor-store.js';

/** Queries of one pass over the document weights. */
const QUERIES_AT_ONCE = 256;
/** Rows listed by a pass over prefixes, for all its queries and blocks together. */
const LISTED_AT_ONCE = 1 << 22;
/** Blocks of such a pass at most, so that merging stays small. */
const BLOCKS = 64;

type Top = { indices: Int32Array; scores: Float32Array };

/**
 * The methods that find the best rows of W for queries: by all of W, and by its codes. `threads`
 * says how the work is cut, not what comes out.
 */
export function topRows(
  store: TensorStore,
  run: Run,
  threads: number,
): Pick<Retriever, 'topInnerProducts' | 'topCodes'> {
  /**
   * Passes of at most 256 queries, or `most`: `find` gets the first one's number and how many there
   * are.
   */
  const inPasses = async (
    count: number,
    options: RunOptions,
    most: number,
    find: (from: number, some: number) => Promise<void>,
  ): Promise<void> => {
    const step = Math.min(QUERIES_AT_ONCE, most);
    options.onProgress?.({ stage: 'candidates', done: 0, total: count });
    for (let from = 0; from < count; from += step) {
      const some = Math.min(step, count - from);
      await find(from, some);
      options.onProgress?.({ stage: 'candidates', done: from + some, total: count });
    }
  };
  /** `use` with queries from .. from + some of `queries`, which are `dim` wide. */
  const withQueries = async <T>(
    queries: Tensor<'f32'>,
    dim: number,
    from: number,
    some: number,
    use: (part: Tensor<'f32'>) => Promise<T>,
  ): Promise<T> => {
    if (queries.length === some * dim) return use(queries);
    const part = await store.upload(
      'f32',
      await store.read(queries, from * dim, (from + some) * dim),
    );
    try {
      return await use(part);
    } finally {
      store.free(part);
    }
  };
  /** `use` with room for `length` rows and scores, which it fills, and then what is there. */
  const withLists = async (
    length: number,
    use: (indices: Tensor<'i32'>, scores: Tensor<'f32'>) => Promise<void>,
  ): Promise<Top> => {
    const indices = await store.allocate('i32', length);
    const scores = await store.allocate('f32', length);
    try {
      await use(indices, scores);
      return { indices: await store.read(indices), scores: await store.read(scores) };
    } finally {
      store.free(indices, scores);
    }
  };

  /**
   * Of each query's best rows by prefixes the k best by full codes. Where those are read from files
   * and there are workers enough for two a query, they share its rows: then the little that is left
   * of the choice is made here, which costs less than two more jobs.
   */
  const rescore = async (
    documents: DeviceCodes,
    queries: Tensor<'f32'>,
    lists: PrefixLists & { rows: Tensor<'i32'>; prefixScores: Tensor<'f32'> },
    k: number,
    shifts: Tensor<'f32'> | null,
    options: RunOptions,
  ): Promise<Top> => {
    const { count, listed } = lists;
    if (2 * count > threads || !store.inFiles(documents.full)) {
      return withLists(count * k, (indices, scores) =>
        run('rescore', { documents, queries, shifts, ...lists, k, indices, scores }, options),
      );
    }
    const [rows, prefixScores] = [
      await store.read(lists.rows),
      await store.read(lists.prefixScores),
    ];
    const room = {
      ints: (length: number) => new Int32Array(length),
      floats: (length: number) => new Float32Array(length),
    };
    const chosen = new Int32Array(count * listed).fill(-1);
    const numbers = Array.from({ length: count }, (_, q) =>
      bestListed(lists, q, rows, prefixScores, room),
    );
    for (const [q, list] of numbers.entries()) chosen.set(list, q * listed);
    const asked = await store.upload('i32', chosen);
    const estimates = await store.allocate('f32', count * listed);
    try {
      await run(
        'scoreRows',
        { documents, queries, shifts, count, listed, rows: asked, scores: estimates },
        options,
      );
      const values = await store.read(estimates);
      const top = { indices: new Int32Array(count * k), scores: new Float32Array(count * k) };
      for (const [q, list] of numbers.entries()) {
        selectRows(
          values.subarray(q * listed, q * listed + list.length),
          list,
          k,
          top.indices,
          top.scores,
          q * k,
        );
      }
      return top;
    } finally {
      store.free(asked, estimates);
    }
  };
  const maskOf = (allowed: Tensor<'i8'> | null | undefined, rows: number): Tensor<'i8'> | null => {
    if (allowed && allowed.length !== rows) {
      throw new LemurError(
        'invalid-argument',
        `allowed: expected a value for each of ${rows} rows, got ${allowed.length}`,
        {
          where: 'allowed',
        },
      );
    }
    return allowed ?? null;
  };

  return {
    async topInnerProducts(queries, count, w, rows, dim, k, options = {}) {
      const allowed = maskOf(options.allowed, rows);
      const top = {
        indices: new Int32Array(count * k).fill(-1),
        scores: new Float32Array(count * k),
      };
      const kept = Math.min(k, rows);
      const { blockRows, blocks } = blocksOf(rows, 512);
      await inPasses(count, options, QUERIES_AT_ONCE, (from, some) =>
        withQueries(queries, dim, from, some, async (part) => {
          const lists = await withLists(blocks * some * kept, (indices, scores) =>
            run(
              'topInnerProducts',
              {
                queries: part,
                count: some,
                w,
                rows,
                dim,
                k: kept,
                allowed,
                blockRows,
                indices,
                scores,
              },
              { signal: options.signal },
            ),
          );
          mergeTop({ ...lists, blocks, count: some, k: kept }, k, top, from * k);
        }),
      );
      return top;
    },

    async topCodes(documents, queries, prefixes, count, rescored, k, options = {}) {
      const { rows, dim, prefixDim } = documents;
      const allowed = maskOf(options.allowed, rows);
      const top = {
        indices: new Int32Array(count * k).fill(-1),
        scores: new Float32Array(count * k),
      };
      const listed = Math.min(Math.max(rescored, k), rows);
      const kept = Math.min(k, rows);
      const { blockRows, blocks } = blocksOf(rows, 2048);
      const { signal } = options;
      const most = Math.max(1, Math.floor(LISTED_AT_ONCE / (blocks * listed)));
      await inPasses(count, options, most, async (from, some) => {
        const shifts = options.shifts
          ? await store.upload('f32', await store.read(options.shifts, from, from + some))
          : null;
        const found = await store.allocate('i32', blocks * some * listed);
        const prefixScores = await store.allocate('f32', blocks * some * listed);
        try {
          await withQueries(prefixes, prefixDim, from, some, (part) =>
            run(
              'scanPrefix',
              {
                documents,
                queries: part,
                count: some,
                k: listed,
                allowed,
                shifts,
                blockRows,
                rows: found,
                scores: prefixScores,
              },
              { signal },
            ),
          );
          const lists = { rows: found, prefixScores, blocks, count: some, listed };
          const best = await withQueries(queries, dim, from, some, (part) =>
            rescore(documents, part, lists, kept, shifts, { signal }),
          );
          for (let q = 0; q < some; q++) {
            top.indices.set(best.indices.subarray(q * kept, (q + 1) * kept), (from + q) * k);
            top.scores.set(best.scores.subarray(q * kept, (q + 1) * kept), (from + q) * k);
          }
        } finally {
          store.free(found, prefixScores, ...(shifts ? [shifts] : []));
        }
      });
      return top;
    },
  };
}

/** Blocks of at least `least` rows, a multiple of 64. */
function blocksOf(rows: number, least: number): { blockRows: number; blocks: number } {
  const blockRows = Math.max(least, Math.ceil(rows / BLOCKS / 64) * 64);
  return { blockRows, blocks: Math.ceil(rows / blockRows) };
}

/**
 * Best rows of each block for each query: blocks x count x k, a list that is not full ending in -1.
 */
interface BlockLists extends Top {
  blocks: number;
  count: number;
  k: number;
}

/**
 * The best of all blocks' lists, query q at `at` + q * stride. Equal scores rank by row, since the
 * blocks are in order.
 */
function mergeTop(
  { indices, scores, blocks, count, k }: BlockLists,
  stride: number,
  out: Top,
  at: number,
): void {
  const pooledScores = new Float32Array(blocks * k);
  const pooledIndices = new Int32Array(blocks * k);
  for (let q = 0; q < count; q++) {
    let n = 0;
    for (let block = 0; block < blocks; block++) {
      for (let i = (block * count + q) * k, end = i + k; i < end && indices[i] >= 0; i++) {
        pooledIndices[n] = indices[i];
        pooledScores[n++] = scores[i];
      }
    }
    const first = at + q * stride;
    const kept = selectTopK(pooledScores, n, k, 0, out.indices, out.scores, first);
    for (let i = first; i < first + kept; i++) out.indices[i] = pooledIndices[out.indices[i]];
  }
}
