import type { RunOptions } from '../../run-options.js';
import type { DeviceCodes } from '../device-codes.js';
import type { Tensor } from '../memory.js';
import type { EncodeRowsArgs } from '../retriever.js';
import type { GpuContext } from './gpu-context.js';
import { float, folded, type GpuQueue } from './gpu-queue.js';
import { byRows, product } from './product.js';
import { type Scratch, withScratch } from './scratch.js';

/** Rows that are encoded at once, of which 4 is a divisor: codes are written as whole words. */
const ROWS = 1024;

/** Prefixes and full codes of weights. */
export async function encodeRows(
  context: GpuContext,
  args: EncodeRowsArgs,
  { rows, dim, prefixDim }: Pick<DeviceCodes, 'rows' | 'dim' | 'prefixDim'>,
  { signal }: RunOptions = {},
): Promise<DeviceCodes> {
  const { memory } = context;
  const made: Tensor[] = [];
  try {
    const prefix = await memory.allocate('i8', rows * prefixDim);
    made.push(prefix);
    const full = await memory.allocate('i8', rows * dim);
    made.push(full);
    const scales = await memory.allocate('f32', rows);
    made.push(scales);
    const out = { rows, dim, prefixDim, prefix, full, scales, checks: null };
    for (let first = 0; first < rows; first += ROWS) {
      const last = Math.min(rows, first + ROWS);
      await withScratch(context.queue, (scratch) =>
        encodeSome(context, scratch, args, out, [first, last], signal),
      );
    }
    return out;
  } catch (error) {
    memory.free(...made);
    throw error;
  }
}

async function encodeSome(
  context: GpuContext,
  scratch: Scratch,
  args: EncodeRowsArgs,
  out: DeviceCodes,
  [first, last]: readonly [number, number],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { queue, memory } = context;
  const { dim, prefixDim } = out;
  const count = last - first;
  const centred = await centredRows(context, scratch, args, dim, [first, last]);
  const projection = await memory.whole(args.projection, scratch);
  const projected = scratch.take(count * prefixDim * 4);
  await product(
    queue,
    {
      ...{ rows: count, columns: prefixDim, depth: dim, outRow: prefixDim },
      left: byRows({ buffer: centred, at: 0 }, dim),
      right: byRows({ buffer: projection, at: 0 }, dim),
      out: { buffer: projected, at: 0 },
    },
    signal,
  );
  const scales = scratch.take(count * 4);
  await queue.dispatch('largestOfRows', [dim], [centred, scales], [count]);
  await memory.fill(out.scales, first, last, scratch, (span) =>
    queue.copy(scales, 0, span.buffer, span.at * 4, count * 4),
  );
  const step = { values: count * prefixDim, dim: prefixDim, perUnit: 1 / args.step };
  const prefixes = await quantised(queue, scratch, projected, step);
  await memory.put(out.prefix, first * prefixDim, last * prefixDim, prefixes);
  const own = { values: count * dim, dim, scales };
  await memory.put(
    out.full,
    first * dim,
    last * dim,
    await quantised(queue, scratch, centred, own),
  );
}

/** Rows without their lengths and the mean. */
async function centredRows(
  { queue, memory }: GpuContext,
  scratch: Scratch,
  { w, negativeMean, lengths }: EncodeRowsArgs,
  dim: number,
  [first, last]: readonly [number, number],
): Promise<GPUBuffer> {
  const rows = await memory.span(w, first * dim, last * dim, scratch);
  const mean = await memory.whole(negativeMean, scratch);
  const relative = lengths ? await memory.whole(lengths.relative, scratch) : null;
  const base = lengths ? await memory.whole(lengths.base, scratch) : null;
  const centred = scratch.take((last - first) * dim * 4);
  await queue.dispatch(
    'centreRows',
    [dim, last - first, rows.at, first, Number(Boolean(lengths))],
    [rows.buffer, mean, relative, base, centred],
    [Math.ceil(dim / 64), last - first],
  );
  return centred;
}

/** Codes of values by one step, or by a scale for each row. */
async function quantised(
  queue: GpuQueue,
  scratch: Scratch,
  x: GPUBuffer,
  {
    values,
    dim,
    scales,
    perUnit = 0,
  }: {
    values: number;
    dim: number;
    scales?: GPUBuffer;
    perUnit?: number;
  },
): Promise<GPUBuffer> {
  const out = scratch.take(4 * Math.ceil(values / 4));
  const numbers = [values, dim, Number(scales !== undefined), float(perUnit)];
  const groups = folded(Math.ceil(values / 256));
  await queue.dispatch('quantise', numbers, [x, scales ?? null, out], groups);
  return out;
}
