/**
 * The given rows of row-major vectors, in shared memory where there is some, so that workers need
 * no copy.
 */
export function gatherRows(vectors: Float32Array, dim: number, rows: Int32Array): Float32Array {
  const out = sharedFloats(rows.length * dim);
  for (let i = 0; i < rows.length; i++) {
    const at = rows[i] * dim;
    out.set(vectors.subarray(at, at + dim), i * dim);
  }
  return out;
}

/** Zeros in shared memory where the platform has it, else in ordinary memory. */
export function sharedFloats(length: number): Float32Array {
  if (typeof SharedArrayBuffer === 'undefined') return new Float32Array(length);
  return new Float32Array(new SharedArrayBuffer(length * 4));
}
