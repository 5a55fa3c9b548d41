import type { Kernels } from '../kernels.js';
import type { KernelMemory } from '../memory.js';
import { type Argument, type Block, createDraw, viewOf } from './blocks.js';
import { learningCalls } from './learning-calls.js';
import { lookCalls } from './look-calls.js';
import { type Calls, productCalls } from './product-calls.js';

/** Kernels over a memory of their own. */
export interface KernelsAtWork {
  readonly kernels: Kernels;
  /** Of at least `CHECK_PAGES` pages. */
  readonly memory: Pick<KernelMemory, 'buffer'>;
}

/** Pages of memory that the calls need. */
export const CHECK_PAGES = 16;

/** What each kernel is called with. A kernel without a line here does not compile. */
export const CALLS: Readonly<Record<keyof Kernels, Calls>> = {
  ...productCalls,
  ...learningCalls,
  ...lookCalls,
};

/** Bytes between blocks, none of which may change. */
const GAP = 64;
const GAP_BYTE = 0xa5;
/** Relative error that float32 sums in another order, and float64 ones, may have. */
const TOLERANCE = { f32: 2e-5, f64: 1e-9 } as const;

/**
 * The names of kernels whose results are not those of `plain`, the specification: integers to the
 * bit, floating-point numbers up to the rounding of sums in another order, and nothing written
 * elsewhere. With `twin`, the same kernels compiled in another way, they must also have its bytes.
 * Those of a first look are left out where `fast` is without them.
 */
export function wrongKernels(
  fast: KernelsAtWork,
  plain: KernelsAtWork,
  twin?: KernelsAtWork,
): string[] {
  const names = Object.keys(CALLS) as (keyof Kernels)[];
  const there = names.filter((name) => fast.kernels[name] !== undefined);
  return there.filter((name, seed) =>
    CALLS[name](createDraw(seed)).some((call) => {
      const [got, expected] = [fast, plain].map((at) => run(at, name, call));
      if (!isRight(got, expected)) return true;
      return twin !== undefined && !isSame(got, run(twin, name, call));
    }),
  );
}

/** Blocks after a call, what it returned, and all bytes from the first block to the last. */
interface Outcome {
  readonly returned: number;
  readonly blocks: readonly { before: Block; after: Block['values'] }[];
  readonly bytes: Uint8Array;
  /** Whether nothing beside the blocks has changed. */
  readonly kept: boolean;
}

function run(
  { kernels, memory }: KernelsAtWork,
  name: keyof Kernels,
  call: readonly Argument[],
): Outcome {
  const { buffer } = memory;
  const places = new Map<Block, number>();
  let top = GAP;
  for (const block of call) {
    if (typeof block === 'number' || places.has(block)) continue;
    // as little aligned as the kernels' interface promises
    const size = block.values.BYTES_PER_ELEMENT;
    const address = Math.ceil(top / (2 * size)) * 2 * size + size;
    places.set(block, address);
    top = address + block.values.byteLength + GAP;
  }
  const all = new Uint8Array(buffer, 0, top).fill(GAP_BYTE);
  for (const [block, address] of places) viewOf(block, buffer, address).set(block.values);
  const numbers = call.map((it) => (typeof it === 'number' ? it : (places.get(it) as number)));
  const kernel = kernels[name] as (...args: number[]) => number | undefined;
  const returned = kernel(...numbers) ?? 0;
  const blocks = Array.from(places, ([before, address]) => ({
    before,
    after: viewOf(before, buffer, address).slice(),
  }));
  const [bytes, rest] = [all.slice(), all.slice()];
  for (const [{ values }, address] of places)
    rest.fill(GAP_BYTE, address, address + values.byteLength);
  return { returned, blocks, bytes, kept: rest.every((byte) => byte === GAP_BYTE) };
}

function isRight(got: Outcome, expected: Outcome): boolean {
  return (
    got.kept &&
    isClose([got.returned], [expected.returned], TOLERANCE.f32) &&
    got.blocks.every(({ before, after }, i) => {
      const [mine, theirs] = [after, expected.blocks[i].after].map((values) =>
        values.subarray(0, before.compared),
      );
      const { type } = before;
      if (type === 'f32' || type === 'f64') return isClose(mine, theirs, TOLERANCE[type]);
      return mine.every((value, at) => value === theirs[at]);
    })
  );
}

/** To the bit, NaN included. */
function isSame(got: Outcome, twin: Outcome): boolean {
  return (
    Object.is(got.returned, twin.returned) && got.bytes.every((byte, i) => byte === twin.bytes[i])
  );
}

/** ||got - expected|| <= tolerance ||expected||; not with NaN on one side alone. */
function isClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): boolean {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(got[i], expected[i])) continue;
    difference += (got[i] - expected[i]) ** 2;
  }
  for (let i = 0; i < expected.length; i++) norm += expected[i] ** 2 || 0;
  return difference <= tolerance ** 2 * (norm || 1);
}
