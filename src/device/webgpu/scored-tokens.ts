import { nextMacrotask } from '../../pacer.js';
import type { TokenBasis } from '../../tokens/encoding.js';
import { encodingOf } from '../../tokens/encodings.js';
import type { DeviceTokens } from '../device-tokens.js';
import { laneLimit } from '../lane-limit.js';
import type { GpuContext } from './gpu-context.js';
import { float, folded } from './gpu-queue.js';
import { byColumns, byRows, product } from './product.js';
import type { Scratch } from './scratch.js';
import type { ShaderName } from './shaders.js';
import type { Span } from './transfer.js';

/** Encodings whose rows a shader reads as they are. */
const SHADERS: ReadonlyMap<string, ShaderName> = new Map([
  ['float32', 'maxDotsFloat32'],
  ['int8', 'maxDotsInt8'],
  ['int4', 'maxDotsInt4'],
  ['int2', 'maxDotsInt2'],
]);
/** The same with inner products of int8, where WGSL has them. */
const PACKED: ReadonlyMap<ShaderName, ShaderName> = new Map([['maxDotsInt8', 'maxDotsInt8Packed']]);
/** Documents decoded before the event loop gets its turn. */
const DECODED = 256;

/** Documents as a shader reads them. */
export interface ScoredTokens {
  readonly documents: DeviceTokens;
  readonly shader: ShaderName;
  /** Values of a row: float32 values or bytes. */
  readonly rowLength: number;
  /** Words of a lane as `preparedLanes` makes them. */
  readonly laneLength: number;
  /** Where each document's rows begin. */
  readonly offsets: Int32Array;
  /** Gives back what was made for it. */
  free(): void;
}

/** Rows of an encoding that no shader knows are decoded to float32, for the time of a call. */
export async function scoredTokens(
  context: GpuContext,
  documents: DeviceTokens,
): Promise<ScoredTokens> {
  const { memory } = context;
  const encoding = encodingOf(documents.encoding);
  const offsets = await memory.numbersOf(documents.offsets);
  const { dim } = documents;
  const width = encoding.dtype === 'f32' ? dim : encoding.rowBytes(dim);
  const known = SHADERS.get(documents.encoding);
  const shader = (context.packedDots && known && PACKED.get(known)) || known;
  if (shader) {
    const laneLength = documents.encoding === 'int8' ? codesLength(dim) : dim;
    return { documents, shader, rowLength: width, laneLength, offsets, free() {} };
  }
  const basis = await basisOf(context, documents);
  const scales = documents.scales && (await memory.read(documents.scales));
  const values = new Float32Array(offsets[documents.documentCount] * dim);
  for (let d = 0; d < documents.documentCount; d++) {
    if (d % DECODED === DECODED - 1) await nextMacrotask();
    const [from, to] = [offsets[d], offsets[d + 1]];
    const rows = await memory.read<'f32' | 'i8'>(documents.vectors, from * width, to * width);
    const out = values.subarray(from * dim, to * dim);
    encoding.decode({ rows, scale: scales?.[d] ?? 1 }, basis, out);
  }
  const vectors = await memory.upload('f32', values);
  const free = (): void => memory.free(vectors);
  const decoded = { ...documents, vectors, scales: null, parameters: null };
  const layout = { shader: 'maxDotsFloat32', rowLength: dim, laneLength: dim } as const;
  return { documents: decoded, ...layout, offsets, free };
}

/** Rows of queries as the shader takes them, from token `from` to `to`. */
export async function preparedLanes(
  context: GpuContext,
  scratch: Scratch,
  queries: { vectors: DeviceTokens['vectors']; dim: number },
  from: number,
  to: number,
  { documents, laneLength }: ScoredTokens,
): Promise<Span> {
  const { memory, queue } = context;
  const { dim } = queries;
  const lanes = await memory.span(queries.vectors, from * dim, to * dim, scratch);
  const encoding = encodingOf(documents.encoding);
  if (encoding.name === 'int8') {
    const out = { buffer: scratch.take((to - from) * laneLength * 4), at: 0 };
    const numbers = [dim, to - from, lanes.at, float(laneLimit(dim))];
    const mean = documents.parameters && (await memory.whole(documents.parameters, scratch));
    const buffers = [lanes.buffer, mean, out.buffer];
    await queue.dispatch('laneCodes', numbers, buffers, folded(to - from));
    return out;
  }
  if (!encoding.prepareQuery) return lanes;
  // it is linear: what it makes of the unit vectors is its matrix
  const matrix = new Float32Array(dim * dim);
  for (let i = 0; i < dim; i++) matrix[i * (dim + 1)] = 1;
  encoding.prepareQuery(matrix, await basisOf(context, documents));
  const right = { buffer: scratch.upload(matrix), at: 0 };
  const out = { buffer: scratch.take((to - from) * dim * 4), at: 0 };
  await product(queue, {
    ...{ rows: to - from, columns: dim, depth: dim, outRow: dim },
    ...{ left: byRows(lanes, dim), right: byColumns(right, dim), out },
  });
  return out;
}

/** Words of a lane's codes, as lane-codes.wgsl writes them. */
function codesLength(dim: number): number {
  return 2 * Math.ceil(dim / 4) + 2;
}

async function basisOf(
  { memory }: GpuContext,
  { dim, parameters }: DeviceTokens,
): Promise<TokenBasis> {
  return { dim, parameters: parameters ? await memory.read(parameters) : new Float32Array(0) };
}
