import type { CpuTensor } from '../cpu-tensor.js';
import type { TensorStore } from './tensor-store.js';

/** What `finish` makes of the float64 values that `use` has written, a few for each block. */
export async function withPartials<T>(
  store: TensorStore,
  length: number,
  use: (partials: CpuTensor<'f64'>) => Promise<void>,
  finish: (values: Float64Array) => T,
): Promise<T> {
  const partials = await store.allocate('f64', length);
  try {
    await use(partials);
    return finish(await store.read(partials));
  } finally {
    store.free(partials);
  }
}

/** Sums every `stride`th value from `first` on, in order. */
export function sumOf(values: Float64Array, first = 0, stride = 1): number {
  let total = 0;
  for (let i = first; i < values.length; i += stride) total += values[i];
  return total;
}
