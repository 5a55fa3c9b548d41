import { type ByteSource, readExactly } from './byte-source.js';

/** Some bytes of a source: from .. to. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** Bytes that are read along between two ranges, since a call for them apart costs more. */
const GAP = 1 << 15;
/** Bytes of one call, but for a range that is longer by itself. */
const LONGEST = 1 << 22;
/** Calls under way at a time. */
const AT_ONCE = 8;

/** Ranges `first` .. `last` (not included), which one call reads. */
export interface JoinedRange extends ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Ascending ranges joined where no more than `gap` bytes lie between two of them, and the whole is
 * no longer than `longest`. Empty ones need no call: they go with what comes before them.
 */
export function joinRanges(
  ranges: readonly ByteRange[],
  gap: number = GAP,
  longest: number = LONGEST,
): JoinedRange[] {
  const joined: JoinedRange[] = [];
  for (const [i, { from, to }] of ranges.entries()) {
    const before = joined[joined.length - 1];
    if (before && from - before.to <= gap && to - before.from <= longest)
      joined[joined.length - 1] = { ...before, to, last: i + 1 };
    else joined.push({ from, to, first: i, last: i + 1 });
  }
  return joined;
}

/**
 * Reads ascending ranges of a source in few calls, several at a time. `use` gets the bytes of each
 * by its number, in no order. The first failure ends it; rejects with 'bad-file' for a short read,
 * or with the signal's reason.
 */
export async function readRanges(
  source: ByteSource,
  ranges: readonly ByteRange[],
  signal: AbortSignal | undefined,
  use: (bytes: Uint8Array, i: number) => void | Promise<void>,
): Promise<void> {
  const calls = joinRanges(ranges).values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const { from, to, first, last } of calls) {
      if (failed) return;
      signal?.throwIfAborted();
      const bytes = await readExactly(source, from, to - from);
      for (let i = first; i < last; i++)
        await use(bytes.subarray(ranges[i].from - from, ranges[i].to - from), i);
    }
  };
  const lanes = Array.from({ length: AT_ONCE }, lane);
  try {
    await Promise.all(lanes);
  } finally {
    failed = true;
  }
}
