/** Random numbers of the tests, by a generator that is not the package's (mulberry32). */
export interface Numbers {
  /** Uniform in [-scale, scale), as float32. */
  floats(length: number, scale?: number): Float32Array;
  /** Uniform integers in [-limit, limit]. */
  integers(length: number, limit: number): number[];
  /** Rows of length 1. */
  unitRows(rows: number, dim: number): Float32Array;
}

export function numbers(seed: number): Numbers {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const floats = (length: number, scale = 1): Float32Array =>
    Float32Array.from({ length }, () => (2 * uniform() - 1) * scale);
  return {
    floats,
    integers: (length, limit) =>
      Array.from({ length }, () => Math.floor(uniform() * (2 * limit + 1)) - limit),
    unitRows(rows, dim) {
      const values = floats(rows * dim);
      for (let r = 0; r < rows; r++) {
        const row = values.subarray(r * dim, (r + 1) * dim);
        const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
        for (let i = 0; i < dim; i++) row[i] /= norm;
      }
      return values;
    },
  };
}

/** Texts of the given numbers of tokens, of unit length: the ragged form that every call takes. */
export function randomTexts(seed: number, counts: readonly number[], dim: number): Texts {
  return { vectors: numbers(seed).unitRows(sum(counts), dim), counts: [...counts], dim };
}

export interface Texts {
  vectors: Float32Array;
  counts: number[];
  dim: number;
}

/** Each text as its rows. */
export function rowsOfTexts({ vectors, counts, dim }: Texts): Float32Array[][] {
  let row = 0;
  return counts.map((count) =>
    Array.from({ length: count }, () => vectors.subarray(row * dim, ++row * dim)),
  );
}

/** MaxSim by its formula, in float64. */
export function naiveMaxSim(
  query: readonly Float32Array[],
  document: readonly Float32Array[],
): number {
  return sum(query.map((x) => Math.max(...document.map((y) => dot(x, y)))));
}

export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i] * y[i];
  return total;
}

export function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** ||a - b|| / ||b||, or ||a|| where b is zero; NaN and unequal lengths never pass as small. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  const error = Math.sqrt(difference / (norm || 1));
  return Number.isNaN(error) ? Infinity : error;
}

/** The bytes of an array, as a hash: what "the same bytes" is checked by. */
export async function bytesOf(values: ArrayBufferView): Promise<string> {
  const copy = new Uint8Array(values.byteLength);
  copy.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const digest = await crypto.subtle.digest('SHA-256', copy);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
