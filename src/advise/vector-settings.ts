import type { QuerySets } from '../collection/query/read-queries.js';
import type { Tensor } from '../device/memory.js';
import { withTensors } from '../device/with-tensors.js';
import { pacer } from '../pacer.js';
import type { RunOptions } from '../run-options.js';
import type { TopK } from '../search/top-documents.js';
import { encodingOf } from '../tokens/encodings.js';
import { sharedFloats } from '../tokens/gather.js';
import type { AdviceMethod } from './compared.js';
import {
  drawParameters,
  encodeFixedDocument,
  encodeFixedQuery,
  type FixedParameters,
  type FixedShape,
  fixedDim,
} from './muvera.js';
import { bestOfRows, type Ground, type Setting, taking } from './setting.js';

/**
 * MUVERA with 2,560 and 10,240 values; the larger one is the default of implementations, and is
 * left out where all documents' would take more than `MOST_BYTES`.
 */
const SHAPES: readonly FixedShape[] = [
  { planes: 4, projected: 8, repetitions: 20 },
  { planes: 5, projected: 16, repetitions: 20 },
];
const MOST_BYTES = 2 ** 29;
/** Documents whose tokens meet the hyperplanes in one call. */
const DOCUMENTS = 64;

/** One vector a document, and what makes one of a query. */
interface VectorStage {
  readonly method: AdviceMethod;
  readonly name: string;
  /** documents x dim. */
  readonly vectors: Tensor<'f32'>;
  readonly dim: number;
  /** One query. */
  encode(query: QuerySets): Float32Array;
}

/** First stages by one vector a document, scanned whole: MUVERA, and the mean of token vectors. */
export async function vectorSettings(
  ground: Ground,
  candidates: readonly number[],
  seed: number,
  run: RunOptions,
): Promise<Setting[]> {
  const { dim } = ground.tokens;
  const stages: VectorStage[] = [];
  for (const shape of SHAPES) {
    const parameters = drawParameters(dim, shape, seed);
    const bytes = 4 * fixedDim(parameters) * ground.rows.length;
    if (bytes <= MOST_BYTES) stages.push(await muveraStage(ground, parameters, run));
  }
  const pooled = await pooledStage(ground, run);
  const settings = [...stages, pooled].flatMap((stage) =>
    candidates.map((count) => setting(ground, stage, count)),
  );
  return [...settings, aloneSetting(ground, pooled)];
}

function setting(ground: Ground, stage: VectorStage, candidates: number): Setting {
  const { snapshot, tokens, depth } = ground;
  return {
    method: stage.method,
    name: stage.name,
    numCandidates: candidates,
    stageBytes: 4 * stage.dim,
    tokenBytes: encodingOf(snapshot.manifest.precision).rowBytes(tokens.dim),
    async search(query) {
      const { indices } = await nearest(ground, stage, query, candidates);
      return bestOfRows(ground, query, tokens, indices, Math.min(depth, candidates));
    },
  };
}

/** By that vector alone. */
function aloneSetting(ground: Ground, stage: VectorStage): Setting {
  return {
    method: stage.method,
    name: `${stage.name} alone`,
    numCandidates: null,
    stageBytes: 4 * stage.dim,
    tokenBytes: null,
    search: async (query) =>
      taking(ground.taken, await nearest(ground, stage, query, ground.depth)),
  };
}

/** The documents whose vectors have the largest inner products with the query's. */
function nearest(
  { device, rows, signal }: Ground,
  { vectors, dim, encode }: VectorStage,
  query: QuerySets,
  count: number,
): Promise<TopK> {
  const k = Math.min(count, rows.length);
  return withTensors(device, async (scope) => {
    const asked = await scope.upload('f32', encode(query));
    const found = device.topInnerProducts(asked, 1, vectors, rows.length, dim, k, { signal });
    return { ...(await found), k };
  });
}

async function muveraStage(
  { device, taken, scope }: Ground,
  parameters: FixedParameters,
  { signal, onProgress }: RunOptions,
): Promise<VectorStage> {
  const { vectors, offsets, counts, dim } = taken.tokens;
  const total = counts.length;
  const width = fixedDim(parameters);
  const planes = parameters.hyperplanes.length / dim;
  const fixed = sharedFloats(total * width);
  const pace = pacer(signal);
  for (let from = 0; from < total; from += DOCUMENTS) {
    onProgress?.({ stage: 'muvera', done: from, total });
    const to = Math.min(total, from + DOCUMENTS);
    const some = vectors.subarray(offsets[from] * dim, offsets[to] * dim);
    const products = await withTensors(device, async (own) => {
      const rows = offsets[to] - offsets[from];
      const a = await own.upload('f32', some);
      const b = await own.upload('f32', parameters.hyperplanes);
      const out = await own.allocate('f32', rows * planes);
      await device.innerProducts(a, rows, b, planes, dim, out, { signal });
      return device.read(out);
    });
    for (let document = from; document < to; document++) {
      await pace();
      const [first, last] = [offsets[document], offsets[document + 1]];
      encodeFixedDocument(
        vectors.subarray(first * dim, last * dim),
        products.subarray((first - offsets[from]) * planes, (last - offsets[from]) * planes),
        parameters,
        fixed.subarray(document * width, (document + 1) * width),
      );
    }
  }
  onProgress?.({ stage: 'muvera', done: total, total });
  return {
    method: 'muvera',
    name: `MUVERA, ${width.toLocaleString('en-US')} values`,
    vectors: await scope.upload('f32', fixed),
    dim: width,
    encode: (query) => encodeFixedQuery(query.vectors, parameters),
  };
}

async function pooledStage({ taken, scope }: Ground, { signal }: RunOptions): Promise<VectorStage> {
  const { vectors, offsets, counts, dim } = taken.tokens;
  const pace = pacer(signal);
  const means = sharedFloats(counts.length * dim);
  for (let document = 0; document < counts.length; document++) {
    await pace();
    const own = vectors.subarray(offsets[document] * dim, offsets[document + 1] * dim);
    means.set(unitMean(own, dim), document * dim);
  }
  return {
    method: 'pooled',
    name: 'one pooled vector',
    vectors: await scope.upload('f32', means),
    dim,
    encode: (query) => unitMean(query.vectors, dim),
  };
}

/** The mean of rows (rows x dim), brought to length 1; zero where it is zero. */
function unitMean(vectors: Float32Array, dim: number): Float32Array {
  const sums = new Float64Array(dim);
  for (let at = 0; at < vectors.length; at += dim)
    for (let j = 0; j < dim; j++) sums[j] += vectors[at + j];
  const length = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0)) || 1;
  return Float32Array.from(sums, (value) => value / length);
}
