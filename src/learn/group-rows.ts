import { pacer } from '../pacer.js';
import { gatherRows } from '../tokens/gather.js';

/** Rows of a group: the lanes of a panel. */
const GROUP = 16;
/** Times that a half's direction is taken anew from the means of both halves. */
const PASSES = 4;

/**
 * The rows (rows x dim) in another order: groups of 16 like each other, found by halving along the
 * line between the halves' means. The targets of a group may then look at the tokens of a document
 * that are near the group alone.
 */
export async function groupRows(
  x: Float32Array,
  dim: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const pace = pacer(signal);
  const rows = x.length / dim;
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  const pending: [number, number][] = [[0, rows]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [from, to] = next;
    if (to - from <= GROUP) continue;
    const middle = from + Math.ceil((to - from) / GROUP / 2) * GROUP;
    await halve(x, dim, order, from, middle, to, pace);
    pending.push([from, middle], [middle, to]);
  }
  return gatherRows(x, dim, order);
}

/** Reorders order[from .. to) so that both sides of `middle` are like themselves. */
async function halve(
  x: Float32Array,
  dim: number,
  order: Int32Array,
  from: number,
  middle: number,
  to: number,
  pace: () => Promise<void> | undefined,
): Promise<void> {
  const mean = meanOf(x, dim, order, from, to);
  const farthest = farthestFrom(x, dim, order.subarray(from, to), mean);
  let direction = mean.map((value, k) => x[farthest * dim + k] - value);
  for (let pass = 0; pass < PASSES; pass++) {
    await pace();
    const along = new Float64Array(to - from);
    for (let i = from; i < to; i++) {
      const at = order[i] * dim;
      let sum = 0;
      for (let k = 0; k < dim; k++) sum += direction[k] * x[at + k];
      along[i - from] = sum;
    }
    await pace();
    const places = Int32Array.from(along, (_, i) => i).sort((a, b) => along[a] - along[b] || a - b);
    order.set(
      places.map((place) => order[from + place]),
      from,
    );
    const [low, high] = [meanOf(x, dim, order, from, middle), meanOf(x, dim, order, middle, to)];
    direction = high.map((value, k) => value - low[k]);
  }
}

function meanOf(
  x: Float32Array,
  dim: number,
  order: Int32Array,
  from: number,
  to: number,
): Float64Array {
  const sums = new Float64Array(dim);
  for (let i = from; i < to; i++) {
    const at = order[i] * dim;
    for (let k = 0; k < dim; k++) sums[k] += x[at + k];
  }
  return sums.map((sum) => sum / (to - from));
}

/** The row with the largest distance to a point. */
function farthestFrom(x: Float32Array, dim: number, rows: Int32Array, point: Float64Array): number {
  let [found, largest] = [rows[0], -1];
  for (const row of rows) {
    let distance = 0;
    for (let k = 0; k < dim; k++) distance += (x[row * dim + k] - point[k]) ** 2;
    if (distance > largest) [found, largest] = [row, distance];
  }
  return found;
}
