import type { TokenEncoding } from './encoding.js';

/** Token vectors as they come, four bytes a dimension. */
export const float32Encoding: TokenEncoding = {
  name: 'float32',
  dtype: 'f32',
  textScales: false,
  parametersName: 'tokenValues',
  products: 'float32',
  rowBytes: (dim) => 4 * dim,
  parameterCount: () => 0,
  learn: async () => new Float32Array(0),
  improves: async () => false,
  encode(vectors, _basis, rows) {
    rows.set(vectors);
    return 1;
  },
  loss: () => ({ error: 0, energy: 0 }),
  decode: ({ rows }, _basis, out) => out.set(rows),
  zeroLength: () => 0,
};
