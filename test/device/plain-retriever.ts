import type { SearchDevice } from '../../dist/device/device.js';
import type { DeviceCodes } from '../../dist/device/device-codes.js';
import type { DeviceFeatureMap } from '../../dist/device/device-feature-map.js';
import { type DeviceTokens, uploadTokens } from '../../dist/device/device-tokens.js';
import type { Tensor } from '../../dist/device/memory.js';
import type {
  DocumentSearch,
  EncodeRowsArgs,
  FoundDocuments,
  SearchDepths,
  TokenQueries,
  TopCodesOptions,
  TopOptions,
  TopRows,
} from '../../dist/device/retriever.js';
import type { TokenSets } from '../../dist/tokens/token-sets.js';
import { dot, naiveMaxSim } from '../numbers.js';
import { naiveFeatures } from './naive-features.js';
import { PlainMemory } from './plain-memory.js';

/**
 * A device that searches and does not learn, by the formulas in float64: what another
 * implementation has to bring.
 */
export class PlainRetriever extends PlainMemory implements SearchDevice {
  async queryFeatures(
    featureMap: DeviceFeatureMap,
    queries: DeviceTokens,
    out: Tensor<'f32'>,
  ): Promise<void> {
    const parameters = this.values(featureMap.parameters);
    const sums = this.values(out).fill(0);
    const { latentDim } = featureMap.layout;
    for (const [q, tokens] of this.#texts(queries).entries()) {
      for (const token of tokens) {
        const length = featureMap.unit ? Math.sqrt(dot(token, token)) : 1;
        const unit = token.map((value) => value / (length || 1));
        const features = naiveFeatures(featureMap.layout, parameters, unit);
        for (const [j, value] of features.entries()) sums[q * latentDim + j] += length * value;
      }
    }
  }

  async innerProducts(
    a: Tensor<'f32'>,
    rows: number,
    b: Tensor<'f32'>,
    columns: number,
    dim: number,
    out: Tensor<'f32'>,
  ): Promise<void> {
    const [left, right] = [rowsOf(this.values(a), dim), rowsOf(this.values(b), dim)];
    const products = this.values(out);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) products[i * columns + j] = dot(left[i], right[j]);
  }

  async encodeRows(
    { w, negativeMean, projection, step, lengths }: EncodeRowsArgs,
    rows: number,
    dim: number,
    prefixDim: number,
  ): Promise<DeviceCodes> {
    const [minus, matrix] = [this.values(negativeMean), rowsOf(this.values(projection), dim)];
    const base = lengths && this.values(lengths.base);
    const relative = lengths && this.values(lengths.relative);
    const prefix = new Int8Array(rows * prefixDim);
    const full = new Int8Array(rows * dim);
    const scales = new Float32Array(rows);
    for (const [r, row] of rowsOf(this.values(w), dim).entries()) {
      const alike = row.map((value, j) => {
        if (!base || !relative) return value;
        return relative[r] < 1e-5 ? -minus[j] : base[j] + (value - base[j]) / relative[r];
      });
      const centred = alike.map((value, j) => value + minus[j]);
      const codes = matrix.map((direction) => toCode(dot(direction, centred) / step));
      prefix.set(codes, r * prefixDim);
      scales[r] = Math.max(...centred.map(Math.abs)) / 127;
      full.set(
        Array.from(centred, (value) => toCode(value / (scales[r] || 1))),
        r * dim,
      );
    }
    return {
      ...{ rows, dim, prefixDim, checks: null },
      prefix: await this.upload('i8', prefix),
      full: await this.upload('i8', full),
      scales: await this.upload('f32', scales),
    };
  }

  async topCodes(
    { rows, dim, prefixDim, prefix, full, scales, lengths }: DeviceCodes,
    queries: Tensor<'f32'>,
    prefixes: Tensor<'f32'>,
    count: number,
    rescored: number,
    k: number,
    { allowed, shifts }: TopCodesOptions = {},
  ): Promise<TopRows> {
    const kept = this.#rowsLeft(rows, allowed);
    const [short, long] = [rowsOf(this.values(prefix), prefixDim), rowsOf(this.values(full), dim)];
    const worth = this.values(scales);
    const top = emptyTop(count, k);
    for (let q = 0; q < count; q++) {
      const shift = shifts ? this.values(shifts)[q] : 0;
      const relative = lengths && this.values(lengths.relative);
      const of = (row: number, estimate: number) =>
        relative ? relative[row] * (estimate + shift) : estimate;
      const own = rowsOf(this.values(prefixes), prefixDim)[q];
      const query = rowsOf(this.values(queries), dim)[q];
      const step = lengths?.step ?? 1;
      const listed = best(kept, Math.max(rescored, k), (row) =>
        of(row, step * dot(short[row], own)),
      );
      const found = best(
        listed.map(({ row }) => row).sort((a, b) => a - b),
        k,
        (row) => of(row, worth[row] * dot(long[row], query)),
      );
      put(top, found, q * k);
    }
    return top;
  }

  async topCodesOfTokens(
    documents: DeviceCodes,
    { featureMap, tokens, projection, means }: TokenQueries,
    rescored: number,
    k: number,
    options: TopOptions = {},
  ): Promise<TopRows & { features: Float32Array }> {
    const { dim, prefixDim } = documents;
    const count = tokens.documentCount;
    const queries = await this.allocate('f32', count * dim);
    await this.queryFeatures(featureMap, tokens, queries);
    const prefixes = await this.allocate('f32', count * prefixDim);
    await this.innerProducts(queries, count, projection, prefixDim, dim, prefixes);
    const features = await this.read(queries);
    const shifts =
      means && rowsOf(features, dim).map((q) => dot(q, means.mean) - dot(q, means.base));
    const top = await this.topCodes(documents, queries, prefixes, count, rescored, k, {
      ...options,
      shifts: shifts && (await this.upload('f32', Float32Array.from(shifts))),
    });
    return { ...top, features };
  }

  async searchDocuments(
    { codes, documents, ...reduction }: DocumentSearch,
    queries: TokenSets,
    { rescored, candidates, k }: SearchDepths,
    options: TopOptions = {},
  ): Promise<FoundDocuments> {
    const count = queries.counts.length;
    const tokens = await uploadTokens(this, queries);
    const of = { ...reduction, tokens };
    const { indices } = await this.topCodesOfTokens(codes, of, rescored, candidates, options);
    const texts = this.#texts(documents);
    const top = { ...emptyTop(count, k), scored: new Int32Array(count) };
    for (const [q, query] of this.#texts(tokens).entries()) {
      const rows = Array.from(indices.subarray(q * candidates, (q + 1) * candidates));
      const list = rows.filter((row) => row >= 0);
      const found = best(list, k, (row) => Math.fround(naiveMaxSim(query, texts[row])));
      put(top, found, q * k);
      top.scored[q] = list.length;
    }
    return top;
  }

  async topInnerProducts(
    queries: Tensor<'f32'>,
    count: number,
    w: Tensor<'f32'>,
    rows: number,
    dim: number,
    k: number,
    { allowed }: TopOptions = {},
  ): Promise<TopRows> {
    const kept = this.#rowsLeft(rows, allowed);
    const [asked, weights] = [rowsOf(this.values(queries), dim), rowsOf(this.values(w), dim)];
    const top = emptyTop(count, k);
    for (let q = 0; q < count; q++)
      put(
        top,
        best(kept, k, (row) => dot(weights[row], asked[q])),
        q * k,
      );
    return top;
  }

  async maxSim(queries: DeviceTokens, documents: DeviceTokens, out: Tensor<'f32'>): Promise<void> {
    const texts = this.#texts(documents);
    const scores = this.values(out);
    for (const [q, query] of this.#texts(queries).entries())
      for (const [d, text] of texts.entries())
        scores[q * texts.length + d] = naiveMaxSim(query, text);
  }

  async maxSimSubset(
    queries: DeviceTokens,
    documents: DeviceTokens,
    candidates: Tensor<'i32'>,
    candidateOffsets: Int32Array,
    out: Tensor<'f32'>,
  ): Promise<void> {
    const texts = this.#texts(documents);
    const [numbers, scores] = [this.values(candidates), this.values(out)];
    for (const [q, query] of this.#texts(queries).entries())
      for (let i = candidateOffsets[q]; i < candidateOffsets[q + 1]; i++)
        scores[i] = naiveMaxSim(query, texts[numbers[i]]);
  }

  /** The rows of each text as float32. */
  #texts({ vectors, offsets, scales, parameters, dim }: DeviceTokens): Float32Array[][] {
    const starts = this.values(offsets);
    const rows = rowsOf(this.values<'f32' | 'i8'>(vectors), dim);
    return Array.from({ length: starts.length - 1 }, (_, text) =>
      rows.slice(starts[text], starts[text + 1]).map((row) => {
        if (!scales || !parameters) return Float32Array.from(row);
        const [scale, centre] = [this.values(scales)[text], this.values(parameters)];
        return Float32Array.from(row, (code, j) => code * scale + centre[j]);
      }),
    );
  }

  #rowsLeft(rows: number, allowed: Tensor<'i8'> | null | undefined): number[] {
    const mask = allowed && this.values(allowed);
    return Array.from({ length: rows }, (_, row) => row).filter((row) => mask?.[row] !== 0);
  }
}

function rowsOf<T extends Float32Array | Int8Array>(values: T, dim: number): T[] {
  return Array.from(
    { length: values.length / dim },
    (_, r) => values.subarray(r * dim, (r + 1) * dim) as T,
  );
}

const toCode = (value: number): number => Math.max(-127, Math.min(127, Math.round(value)));

/** The k rows with the largest scores, best first, ties by their order. */
function best(rows: readonly number[], k: number, scoreOf: (row: number) => number) {
  return rows
    .map((row) => ({ row, score: scoreOf(row) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
}

function emptyTop(count: number, k: number): TopRows {
  return { indices: new Int32Array(count * k).fill(-1), scores: new Float32Array(count * k) };
}

function put(top: TopRows, found: readonly { row: number; score: number }[], at: number): void {
  top.indices.set(
    found.map(({ row }) => row),
    at,
  );
  top.scores.set(
    found.map(({ score }) => score),
    at,
  );
}
