import type { FileValues } from '../memory.js';
import type { CpuTensor } from './cpu-tensor.js';

/** Where the values of a tensor are. */
export type TensorLocation =
  /** In the kernels' memory. */
  | { readonly kind: 'memory'; readonly address: number }
  /** In a buffer of their own. */
  | { readonly kind: 'buffer'; readonly buffer: ArrayBufferLike }
  | { readonly kind: 'file'; readonly file: FileValues; readonly cache?: RowCache }
  | JoinedLocation;

/** Room in the kernels' memory for all rows of a tensor in a file. */
export interface RowCache {
  /** Where the first row lies once it has been read. */
  readonly address: number;
  /** Values of a row. */
  readonly rowLength: number;
  /** Address of a byte for each row: 0, or what `CachedRows` has made of it. */
  readonly states: number;
}

/** In other tensors, end to end; none of them is empty or has parts itself. */
export interface JoinedLocation {
  readonly kind: 'parts';
  readonly parts: readonly CpuTensor[];
  /** Where each begins, and where the last one ends. */
  readonly starts: Float64Array;
}

export function joined(parts: readonly CpuTensor[]): JoinedLocation {
  const starts = new Float64Array(parts.length + 1);
  for (const [i, { length }] of parts.entries()) starts[i + 1] = starts[i] + length;
  return { kind: 'parts', parts, starts };
}

/** Number of the part that value `at` lies in. */
function partAt({ starts }: JoinedLocation, at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= at) low = middle;
    else high = middle;
  }
  return low;
}

/** The part that values `from` to `to` lie in, by their numbers there; null: in several. */
export function partOf(
  location: JoinedLocation,
  from: number,
  to: number,
): { part: CpuTensor; from: number; to: number } | null {
  const i = partAt(location, from);
  const start = location.starts[i];
  if (to > location.starts[i + 1]) return null;
  return { part: location.parts[i], from: from - start, to: to - start };
}

/**
 * Calls `use` with the range that values `from` to `to` have in each part, and how far it is from
 * `from`.
 */
export function forEachPiece(
  location: JoinedLocation,
  from: number,
  to: number,
  use: (part: CpuTensor, from: number, to: number, after: number) => void,
): void {
  const { parts, starts } = location;
  for (let i = partAt(location, from), at = from; at < to; i++) {
    const end = Math.min(to, starts[i + 1]);
    use(parts[i], at - starts[i], end - starts[i], at - from);
    at = end;
  }
}
