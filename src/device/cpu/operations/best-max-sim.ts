import { kthLargest } from '../../../kernels/select-largest.js';
import type { DeviceTokens } from '../../device-tokens.js';
import type { Tensor } from '../../memory.js';
import { type DocumentTile, forEachTile, keepDocuments } from './document-tiles.js';
import {
  hasLookKernels,
  type LookLanes,
  lookScratch,
  mayReach,
  packLook,
  packLookScratch,
} from './first-look.js';
import { packLanes, productScratch } from './largest-products.js';
import { type MaxSimArgs, type MaxSimSubsetArgs, plannedBlock } from './max-sim.js';
import { type Context, type Operation, SCRATCH_SLACK } from './operation.js';
import type { PackedLanes } from './token-scorer.js';
import { scorerOf } from './token-scorers.js';

/** Scores of which only the best are asked for. */
export interface BestArgs {
  /** How many of a query's scores. */
  best: number;
  /**
   * Of each query a score that `best` documents are known to reach, at first -Infinity: tiles raise
   * it. Documents that are certainly below keep the -Infinity that `out` holds at first; which of
   * them do depends on the order of the blocks.
   */
  floors: Tensor<'f32'>;
}

/** A query as both scorers take it. */
interface Asked {
  readonly query: number;
  readonly packed: PackedLanes;
  /** null: this worker has no kernels for it. */
  readonly look: LookLanes | null;
  /** Where its scores begin and end in the output. */
  readonly from: number;
  readonly to: number;
}

/** Documents of a tile at most. */
const [CANDIDATES, DOCUMENTS] = [16, 64];
/** Queries that pass over each tile of documents, and their lanes, but of one query more. */
const [QUERIES_AT_ONCE, LANES_AT_ONCE] = [32, 1024];

export interface BestSubsetArgs extends MaxSimSubsetArgs, BestArgs {
  /** Where each query's candidates begin, and the last ones end. */
  ranges: Tensor<'i32'>;
}

/** As `maxSimSubset`, but of documents that cannot be among the best only that they cannot. */
export const bestMaxSimSubset: Operation<BestSubsetArgs> = {
  blocks: ({ plan }) => plan.length / 3,
  scratchBytes: ({ queries, documents, candidates }) =>
    packScratch(documents, 1, queries.longest) +
    tileScratch(documents, queries.longest, CANDIDATES, candidates.length),
  run(context, args, block) {
    const { queries, documents, plan, candidates, ranges } = args;
    const { query, first, last, numbers } = plannedBlock(context, plan, candidates, block);
    if (last === first) return;
    const [from, to] = context.view(ranges).subarray(query, query + 2);
    const asked = { ...packQuery(context, queries, documents, query), from, to };
    forEachTile(context, documents, numbers, first, last, (tile) =>
      scoreTile(context, args, asked, tile, tile.first),
    );
  },
};

/** As `maxSim`, in the same way; 64 documents a block. */
export const bestMaxSim: Operation<MaxSimArgs & BestArgs> = {
  blocks: ({ documents }) => Math.ceil(documents.documentCount / DOCUMENTS),
  scratchBytes({ queries, documents }) {
    const some = Math.min(QUERIES_AT_ONCE, queries.documentCount);
    const lanes = Math.max(LANES_AT_ONCE, queries.longest);
    return (
      packScratch(documents, some, lanes) +
      tileScratch(documents, queries.longest, DOCUMENTS, documents.documentCount)
    );
  },
  run(context, args, block) {
    const { queries, documents } = args;
    const total = documents.documentCount;
    const first = block * DOCUMENTS;
    const last = Math.min(total, first + DOCUMENTS);
    const offsets = context.view(queries.offsets);
    for (let start = 0; start < queries.documentCount; ) {
      const mark = context.mark();
      const part: Asked[] = [];
      let query = start;
      do {
        const [from, to] = [query * total, (query + 1) * total];
        part.push({ ...packQuery(context, queries, documents, query), from, to });
        query++;
      } while (
        query < Math.min(queries.documentCount, start + QUERIES_AT_ONCE) &&
        offsets[query + 1] - offsets[start] <= LANES_AT_ONCE
      );
      forEachTile(context, documents, null, first, last, (tile) => {
        for (const asked of part) scoreTile(context, args, asked, tile, asked.from + tile.first);
      });
      context.rewind(mark);
      start = query;
    }
  },
};

function packScratch(documents: DeviceTokens, queries: number, lanes: number): number {
  const { dim } = documents;
  // each query's lanes are padded, and each piece of scratch
  const padded = lanes + 16 * queries;
  const { packScratch } = scorerOf(documents);
  return (
    SCRATCH_SLACK * queries +
    packScratch(padded, dim) +
    4 * dim * (queries + lanes) +
    packLookScratch(padded, dim)
  );
}

/** Of a tile of at most so many documents; a query has so many scores. */
function tileScratch(documents: DeviceTokens, lanes: number, most: number, scores: number): number {
  const products = 4 * most * (lanes + 3) + 4 * scores;
  return (
    SCRATCH_SLACK + productScratch(documents, 1) + products + lookScratch(documents, lanes, most)
  );
}

function packQuery(
  context: Context,
  queries: DeviceTokens,
  documents: DeviceTokens,
  query: number,
): Pick<Asked, 'query' | 'packed' | 'look'> {
  const { dim } = documents;
  const [row, end] = context.view(queries.offsets).subarray(query, query + 2);
  const x = context.stage(queries.vectors, row * dim, end * dim);
  const packed = packLanes(context, documents, x, end - row);
  const look = hasLookKernels(context) ? packLook(context, documents, packed) : null;
  return { query, packed, look };
}

/** Scores of a tile's documents to `at` on, of those that may be among the best. */
function scoreTile(
  context: Context,
  { documents, out, best, floors }: Pick<MaxSimArgs, 'documents' | 'out'> & BestArgs,
  { query, packed, look, from, to }: Asked,
  tile: DocumentTile,
  at: number,
): void {
  const mark = context.mark();
  const known = context.view(floors);
  const floor = known[query];
  const kept = look && floor > -Infinity ? mayReach(context, documents, look, tile, floor) : null;
  if (kept?.length !== 0) {
    const some = kept ? keepDocuments(context, documents, tile, kept) : tile;
    const scores = scoresOf(context, documents, packed, some);
    const result = context.view(out);
    for (let i = 0; i < scores.length; i++) result[at + (kept ? kept[i] : i)] = scores[i];
    if (scores.some((score) => score > floor)) {
      const raised = kthOf(context, result.subarray(from, to), best);
      // another worker may have raised it meanwhile
      if (raised > known[query]) known[query] = raised;
    }
  }
  context.rewind(mark);
}

function scoresOf(
  context: Context,
  documents: DeviceTokens,
  packed: PackedLanes,
  tile: DocumentTile,
): Float32Array {
  const count = tile.documents;
  const products = context.scratch(packed.lanes * count * 4);
  const sums = context.scratch(count * 4);
  scorerOf(documents).score(context, documents, packed, tile, products, count);
  context.kernels.sumRows(products, packed.lanes, count, count, 0, sums);
  return context.at('f32', sums, count);
}

/** The k-th largest of the scores that are known; -Infinity: fewer are. */
function kthOf(context: Context, scores: Float32Array, k: number): number {
  if (scores.length < k) return -Infinity;
  const values = context.at('f32', context.scratch(scores.length * 4), scores.length);
  for (let i = 0; i < values.length; i++) values[i] = scores[i] > -Infinity ? scores[i] : -Infinity;
  return kthLargest(values, values.length, k);
}
