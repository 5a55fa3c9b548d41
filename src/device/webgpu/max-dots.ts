import type { Tensor } from '../memory.js';
import type { GpuContext } from './gpu-context.js';
import { SUBMIT_WORK } from './gpu-queue.js';
import { type RowRange, rangesOf } from './ranges.js';
import type { ScoredTokens } from './scored-tokens.js';
import { type Scratch, withScratch } from './scratch.js';
import type { Span } from './transfer.js';

/** Lanes of a workgroup. */
const LANES = 32;
/** Documents of a dispatch. */
const MOST_ENTRIES = 32768;

/** Which documents, a column of the output each. */
export interface Entries {
  /** Number of the first, and how many: documents, or places in `chosen`. */
  readonly from: number;
  readonly count: number;
  /** Numbers of documents; those below 0 are left out. Null: entries are documents. */
  readonly chosen: GPUBuffer | null;
  /** One for each entry. */
  readonly divisors?: GPUBuffer | null | undefined;
  /** Tokens of the entries in all, for the length of dispatches; default: as of usual ones. */
  readonly tokens?: number | undefined;
}

/** Rows that products are taken with, `count` of them. */
export interface Lanes {
  readonly rows: Span;
  readonly count: number;
}

interface MaxDotsOptions {
  /** Default: all. */
  readonly ranges?: readonly RowRange[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * out (lanes x entries, `outRow` from one lane to the next) = the largest inner product of each
 * lane with the tokens of a document. Documents are looked at where they lie, and only those of
 * `ranges`; what is of others is left as it was.
 */
export async function maxDots(
  context: GpuContext,
  scored: ScoredTokens,
  lanes: Lanes,
  entries: Entries,
  out: Span,
  outRow: number,
  { ranges, signal }: MaxDotsOptions = {},
): Promise<void> {
  for (const range of ranges ?? documentRanges(context, scored))
    await withScratch(context.queue, (scratch) =>
      dotsOfRange(context, scratch, scored, lanes, entries, { out, outRow, range, signal }),
    );
}

/** Documents by where their rows lie; of those in the host's memory only the wanted ones. */
export function documentRanges(
  { memory }: GpuContext,
  { documents, offsets, rowLength }: ScoredTokens,
  wanted?: Int32Array | undefined,
): RowRange[] {
  const startOf = (document: number): number => offsets[document] * rowLength;
  return rangesOf(memory.pieces(documents.vectors), documents.documentCount, startOf, wanted);
}

interface RangeDots {
  readonly out: Span;
  readonly outRow: number;
  readonly range: RowRange;
  readonly signal: AbortSignal | undefined;
}

async function dotsOfRange(
  { queue, memory }: GpuContext,
  scratch: Scratch,
  { documents, shader, rowLength, offsets }: ScoredTokens,
  lanes: Lanes,
  { from, count, chosen, divisors, tokens }: Entries,
  { out, outRow, range: { first, last }, signal }: RangeDots,
): Promise<void> {
  const { dim, scales, parameters, documentCount } = documents;
  const base = offsets[first];
  const values = [base * rowLength, offsets[last] * rowLength] as const;
  const rows = await memory.span(documents.vectors, ...values, scratch);
  const small = async (tensor: Tensor | null): Promise<GPUBuffer | null> =>
    tensor && memory.whole(tensor, scratch);
  const buffers = [
    ...[lanes.rows.buffer, rows.buffer, await small(documents.offsets), chosen],
    ...[await small(scales), await small(parameters), divisors ?? null, out.buffer],
  ];
  // entries that are documents: those of the range alone
  const begin = chosen ? from : Math.max(from, first);
  const end = chosen ? from + count : Math.min(from + count, last);
  const usual = offsets[documentCount] / Math.max(1, documentCount);
  const each = tokens === undefined ? usual : tokens / count;
  const work = 2 * dim * lanes.count * Math.max(1, each);
  const step = Math.min(MOST_ENTRIES, Math.max(1, Math.floor(SUBMIT_WORK / work)));
  for (let entry = begin; entry < end; entry += step) {
    const some = Math.min(step, end - entry);
    await queue.dispatch(
      shader,
      [
        ...[dim, lanes.count, lanes.rows.at, first, last - first, base, rows.at, rowLength],
        ...[entry, Number(chosen !== null), Number(Boolean(divisors))],
        ...[out.at - from, outRow],
      ],
      buffers,
      [some, Math.ceil(lanes.count / LANES)],
    );
    await queue.turn(work * some, signal);
  }
}
