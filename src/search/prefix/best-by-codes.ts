import type { SearchDevice } from '../../device/device.js';
import type { DeviceCodes } from '../../device/device-codes.js';
import type { Tensor } from '../../device/memory.js';
import type { TopCodesOptions, TopRows } from '../../device/retriever.js';
import { withTensors } from '../../device/with-tensors.js';
import { uniqueRows } from '../unique-rows.js';

/** Full codes of some rows. */
export interface CodesOfRows {
  /** rows x d'. */
  full: Int8Array;
  /** What a code of each row is worth. */
  scales: Float32Array;
  /** Relative lengths of the rows; null where the codes have none. */
  lengths: Float32Array | null;
}

/**
 * Document weights in codes of which the full ones lie in a storage: those of the rows with the
 * best prefixes are fetched.
 */
export interface FetchedCodes extends Pick<DeviceCodes, 'rows' | 'dim' | 'prefixDim' | 'lengths'> {
  readonly prefix: DeviceCodes['prefix'];
  /** On the device, as `prefix` is. */
  readonly scales: DeviceCodes['scales'];
  /** Those of ascending rows. Rejects with 'bad-file' where they are not what was stored. */
  fetch(rows: Int32Array, signal: AbortSignal | undefined): Promise<CodesOfRows>;
}

/** Bytes of full codes that are fetched at a time, and more only for one query. */
const BYTES_AT_ONCE = 1 << 25;

/** `device.topCodes` of codes of which the full ones are fetched. */
export function bestByCodes(
  device: SearchDevice,
  codes: FetchedCodes,
  queries: Tensor<'f32'>,
  prefixes: Tensor<'f32'>,
  count: number,
  rescored: number,
  k: number,
  options: TopCodesOptions = {},
): Promise<TopRows> {
  return new FetchedScan(device, codes, { queries, prefixes, count }, options).best(rescored, k);
}

/**
 * A scan of prefixes, after which the full codes of the best are fetched and looked at, query by
 * query: a collection of those alone, of which the device finds the best.
 */
class FetchedScan {
  readonly #device: SearchDevice;
  readonly #codes: FetchedCodes;
  readonly #of: { queries: Tensor<'f32'>; prefixes: Tensor<'f32'>; count: number };
  readonly #options: TopCodesOptions;

  constructor(
    device: SearchDevice,
    codes: FetchedCodes,
    of: { queries: Tensor<'f32'>; prefixes: Tensor<'f32'>; count: number },
    options: TopCodesOptions,
  ) {
    this.#device = device;
    this.#codes = codes;
    this.#of = of;
    this.#options = options;
  }

  async best(rescored: number, k: number): Promise<TopRows> {
    const { count } = this.#of;
    const { dim, rows } = this.#codes;
    const listed = Math.min(Math.max(rescored, k), rows);
    const lists = await this.#byPrefixes(listed);
    const top = {
      indices: new Int32Array(count * k).fill(-1),
      scores: new Float32Array(count * k),
    };
    const atOnce = Math.max(1, Math.floor(BYTES_AT_ONCE / (listed * dim)));
    for (let from = 0; from < count; from += atOnce) {
      const some = lists.slice(from, from + atOnce);
      const union = uniqueRows(some, rows);
      const fetched = await this.#codes.fetch(union, this.#options.signal);
      for (const [i, list] of some.entries()) {
        if (list.length === 0) continue;
        const found = await this.#rescore(from + i, codesAmong(fetched, union, list, dim), k);
        top.indices.set(
          found.indices.map((at) => (at < 0 ? -1 : list[at])),
          (from + i) * k,
        );
        top.scores.set(found.scores, (from + i) * k);
      }
    }
    return top;
  }

  /**
   * The `listed` rows with the best prefixes of each query, ascending. All of them are asked for,
   * so that the full codes decide nothing: the prefixes stand in for them.
   */
  async #byPrefixes(listed: number): Promise<Int32Array[]> {
    const { rows, prefix, prefixDim, scales, lengths } = this.#codes;
    const { prefixes, count } = this.#of;
    const codes = { rows, dim: prefixDim, prefixDim, prefix, full: prefix, scales, lengths };
    const { indices } = await this.#device.topCodes(
      { ...codes, checks: null },
      prefixes,
      prefixes,
      count,
      listed,
      listed,
      this.#options,
    );
    return Array.from({ length: count }, (_, q) =>
      indices
        .slice(q * listed, (q + 1) * listed)
        .filter((row) => row >= 0)
        .sort(),
    );
  }

  /** The k best of these rows for query q. All are allowed, and all are looked at. */
  async #rescore(q: number, chosen: CodesOfRows, k: number): Promise<TopRows> {
    const { dim, prefixDim, lengths } = this.#codes;
    const { full, scales, lengths: relative } = chosen;
    const { queries, prefixes } = this.#of;
    const { signal, shifts } = this.#options;
    const rows = scales.length;
    const device = this.#device;
    return withTensors(device, async (scope) => {
      const slice = async (of: Tensor<'f32'>, width: number): Promise<Tensor<'f32'>> =>
        scope.upload('f32', await device.read(of, q * width, (q + 1) * width));
      const codes: DeviceCodes = {
        ...{ rows, dim, prefixDim, checks: null },
        prefix: await scope.allocate('i8', rows * prefixDim),
        full: await scope.upload('i8', full),
        scales: await scope.upload('f32', scales),
        lengths: relative &&
          lengths && { ...lengths, relative: await scope.upload('f32', relative) },
      };
      return device.topCodes(
        codes,
        await slice(queries, dim),
        await slice(prefixes, prefixDim),
        1,
        rows,
        k,
        { signal, shifts: shifts && (await slice(shifts, 1)) },
      );
    });
  }
}

/** Of codes of the rows of `union` those of `list`, which are among them; both ascend. */
function codesAmong(
  { full, scales, lengths }: CodesOfRows,
  union: Int32Array,
  list: Int32Array,
  dim: number,
): CodesOfRows {
  if (union.length === list.length) return { full, scales, lengths };
  const out: CodesOfRows = {
    full: new Int8Array(list.length * dim),
    scales: new Float32Array(list.length),
    lengths: lengths && new Float32Array(list.length),
  };
  for (let i = 0, at = 0; i < list.length; i++) {
    while (union[at] < list[i]) at++;
    out.full.set(full.subarray(at * dim, (at + 1) * dim), i * dim);
    out.scales[i] = scales[at];
    if (out.lengths && lengths) out.lengths[i] = lengths[at];
  }
  return out;
}
