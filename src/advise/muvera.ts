import { createRandom } from '../tokens/random.js';
import { STREAM } from '../tokens/random-streams.js';

/**
 * Sizes of a fixed dimensional encoding (Dhulipala et al., MUVERA: Multi-Vector Retrieval via Fixed
 * Dimensional Encodings, 2024, section 2): the space is cut into 2^planes parts by hyperplanes,
 * what lies in each is projected to so many values, and all that is done so many times.
 */
export interface FixedShape {
  /** k_sim: hyperplanes of a repetition, 0 .. 16. */
  readonly planes: number;
  /** d_proj: values of each part; those of the token vectors, or more: they are not projected. */
  readonly projected: number;
  /** R_reps. */
  readonly repetitions: number;
}

/** What is drawn at random for a shape and the dimension of token vectors. */
export interface FixedParameters extends FixedShape {
  readonly dim: number;
  /** Normal vectors of the hyperplanes, repetitions x planes x dim. */
  readonly hyperplanes: Float32Array;
  /** 1 or -1, repetitions x projected x dim. */
  readonly projections: Float32Array;
}

/** Values of an encoding: repetitions x 2^planes x projected. */
export function fixedDim({ planes, projected, repetitions, dim }: FixedParameters): number {
  return repetitions * 2 ** planes * Math.min(projected, dim);
}

export function drawParameters(dim: number, shape: FixedShape, seed: number): FixedParameters {
  const { planes, projected, repetitions } = shape;
  const random = createRandom(seed, STREAM.fixedEncoding);
  const hyperplanes = new Float32Array(repetitions * planes * dim).map(() => random.normal());
  const signs = new Float32Array(repetitions * projected * dim);
  return { ...shape, dim, hyperplanes, projections: signs.map(() => 2 * random.integer(2) - 1) };
}

/** Inner products of vectors (rows x dim) with all normal vectors: rows x repetitions * planes. */
export function planeProducts(
  vectors: Float32Array,
  { hyperplanes, dim }: FixedParameters,
): Float32Array {
  const [rows, columns] = [vectors.length / dim, hyperplanes.length / dim];
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[row * columns + column] = product(vectors, row * dim, hyperplanes, column * dim, dim);
  return out;
}

/** A query (rows x dim): the vectors of each part are added up (section 2). */
export function encodeFixedQuery(vectors: Float32Array, parameters: FixedParameters): Float32Array {
  const out = new Float32Array(fixedDim(parameters));
  encode(vectors, planeProducts(vectors, parameters), parameters, out, false);
  return out;
}

/**
 * A document (rows x dim) by its `planeProducts`: of each part the mean of its vectors, and of one
 * that has none the vector whose part differs in the fewest hyperplanes (section 2, `fill_empty`).
 * The inner product of a query's and a document's encoding, divided by the repetitions, estimates
 * their MaxSim.
 */
export function encodeFixedDocument(
  vectors: Float32Array,
  products: Float32Array,
  parameters: FixedParameters,
  out: Float32Array,
): void {
  encode(vectors, products, parameters, out, true);
}

function encode(
  vectors: Float32Array,
  products: Float32Array,
  parameters: FixedParameters,
  out: Float32Array,
  isDocument: boolean,
): void {
  const { planes, repetitions, dim } = parameters;
  const parts = 2 ** planes;
  const width = Math.min(parameters.projected, dim);
  const rows = vectors.length / dim;
  const sums = new Float64Array(parts * dim);
  const counts = new Int32Array(parts);
  const firsts = new Int32Array(parts);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    sums.fill(0);
    counts.fill(0);
    for (let row = 0; row < rows; row++) {
      const part = partOf(products, (row * repetitions + repetition) * planes, planes);
      if (counts[part]++ === 0) firsts[part] = row;
      for (let j = 0; j < dim; j++) sums[part * dim + j] += vectors[row * dim + j];
    }
    for (let part = 0; part < parts; part++) {
      if (counts[part] === 0) {
        if (!isDocument) continue;
        const row = firsts[nearestPart(part, counts)];
        sums.set(vectors.subarray(row * dim, (row + 1) * dim), part * dim);
      }
      const divisor = isDocument ? Math.max(1, counts[part]) : 1;
      const at = (repetition * parts + part) * width;
      project(sums, part * dim, divisor, parameters, repetition, out, at);
    }
  }
}

/** On which side of each hyperplane a vector lies, the first one's bit the lowest. */
function partOf(products: Float32Array, at: number, planes: number): number {
  let part = 0;
  for (let plane = 0; plane < planes; plane++) if (products[at + plane] > 0) part |= 1 << plane;
  return part;
}

/** The first of the parts that have vectors and differ in the fewest bits. */
function nearestPart(part: number, counts: Int32Array): number {
  let [nearest, least] = [0, 33];
  for (let other = 0; other < counts.length; other++) {
    if (counts[other] === 0) continue;
    let bits = 0;
    for (let left = part ^ other; left !== 0; left &= left - 1) bits++;
    if (bits < least) [nearest, least] = [other, bits];
  }
  return nearest;
}

/** S v / sqrt(projected) of a part v, S of signs, or v itself (section 2, inner projections). */
function project(
  sums: Float64Array,
  from: number,
  divisor: number,
  { projected, projections, dim }: FixedParameters,
  repetition: number,
  out: Float32Array,
  at: number,
): void {
  if (projected >= dim) {
    for (let j = 0; j < dim; j++) out[at + j] = sums[from + j] / divisor;
    return;
  }
  const scale = 1 / (Math.sqrt(projected) * divisor);
  for (let i = 0; i < projected; i++) {
    const row = (repetition * projected + i) * dim;
    out[at + i] = scale * product(sums, from, projections, row, dim);
  }
}

function product(
  a: Float32Array | Float64Array,
  atA: number,
  b: Float32Array,
  atB: number,
  dim: number,
): number {
  let sum = 0;
  for (let j = 0; j < dim; j++) sum += a[atA + j] * b[atB + j];
  return sum;
}
