import type { Tensor } from '../memory.js';
import type { GpuContext } from './gpu-context.js';
import { float } from './gpu-queue.js';
import { isOnDevice, rangesOf } from './ranges.js';
import { type Scratch, withScratch } from './scratch.js';

/** Rows of a tensor in an order: order[from .. from + rows). */
export interface OrderedRows {
  readonly order: Tensor<'i32'>;
  readonly from: number;
  readonly rows: number;
}

/** (value - mean) / std of rows of x (`width` wide) in their order, rows x width. */
export async function gatherRows(
  context: GpuContext,
  scratch: Scratch,
  x: Tensor<'f32'>,
  width: number,
  of: OrderedRows,
  { mean, std }: { mean: number; std: number } = { mean: 0, std: 1 },
): Promise<GPUBuffer> {
  const { queue, memory } = context;
  const { order, from, rows } = of;
  const out = scratch.take(rows * width * 4);
  const put = (source: GPUBuffer, numbers: readonly number[], places: GPUBuffer) =>
    queue.dispatch(
      'gatherRows',
      [width, ...numbers, float(mean), float(1 / std)],
      [source, places, out],
      [Math.ceil(width / 64), rows],
    );
  const pieces = memory.pieces(x);
  if (!isOnDevice(pieces)) {
    const own = scratch.upload(await hostRows(context, x, width, of));
    const inOrder = scratch.upload(Int32Array.from({ length: rows }, (_, i) => i));
    await put(own, [0, 0, rows, 0], inOrder);
    return out;
  }
  const places = await memory.whole(order, scratch);
  const startOf = (row: number): number => row * width;
  for (const { first, last } of rangesOf(pieces, x.length / width, startOf))
    await withScratch(queue, async (own) => {
      const { buffer, at } = await memory.span(x, startOf(first), startOf(last), own);
      await put(buffer, [from, first, last - first, at], places);
    });
  return out;
}

/** The rows, of a tensor that does not lie on the device. */
async function hostRows(
  { memory }: GpuContext,
  x: Tensor<'f32'>,
  width: number,
  { order, from, rows }: OrderedRows,
): Promise<Float32Array> {
  const numbers = await memory.numbersOf(order);
  const out = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const row = numbers[from + i];
    out.set(await memory.read(x, row * width, (row + 1) * width), i * width);
  }
  return out;
}
