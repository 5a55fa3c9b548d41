import type { GpuQueue } from './gpu-queue.js';
import type { Scratch } from './scratch.js';

/** Items of a block of the selection, as select.wgsl has them. */
const BLOCK = 4096;
/** Bytes of a key, the highest first. */
const SHIFTS = [24, 16, 8, 0];

/** Lists of scores, `items` each. */
export interface ScoredLists {
  readonly scores: GPUBuffer;
  readonly lists: number;
  readonly items: number;
  /** A byte for each item, 0: it is left out; null: none is. */
  readonly mask: GPUBuffer | null;
  /** lists x items: numbers of the items, below 0: it is left out; null: their places. */
  readonly numbers: GPUBuffer | null;
}

/** lists x k: numbers in the order of the items, short lists ending in -1, and their scores. */
export interface SelectedRows {
  readonly numbers: GPUBuffer;
  readonly scores: GPUBuffer;
}

/** The k items of each list with the largest scores, of equal ones at the cut the first. */
export async function selectRows(
  queue: GpuQueue,
  scratch: Scratch,
  { scores, lists, items, mask, numbers }: ScoredLists,
  k: number,
): Promise<SelectedRows> {
  const blocks = Math.ceil(items / BLOCK);
  const made = { numbers: scratch.take(lists * k * 4), scores: scratch.take(lists * k * 4) };
  const buffers = [
    ...[scores, mask, numbers, scratch.zeros(lists * 256 * 4), scratch.take(lists * 12)],
    ...[scratch.take(lists * blocks * 8), made.numbers, made.scores],
  ];
  const params = (shift: number): number[] => [
    ...[items, k, items, Number(mask !== null), Number(numbers !== null), shift, blocks],
  ];
  for (const shift of SHIFTS) {
    await queue.dispatch('histogram', params(shift), buffers, [blocks, lists]);
    await queue.dispatch('pick', params(shift), buffers, [lists]);
  }
  await queue.dispatch('count', params(0), buffers, [blocks, lists]);
  await queue.dispatch('place', params(0), buffers, [lists]);
  await queue.dispatch('scatter', params(0), buffers, [blocks, lists]);
  return made;
}
