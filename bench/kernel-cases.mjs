// Calls of the kernels at the sizes that fits and searches have: [name, unit of its peak, work of a
// call, call, preparation, kernel where engines may be without it]. Products count operations (a
// multiplication and an addition are two); others count values and have no peak.
export const MIB = 1 << 20;
/** Addresses of operands, eight megabytes each; the third is written, the fourth scratch. */
export const [A, B, C, D, E] = [1, 9, 17, 25, 33].map((at) => at * MIB);
const VALUES = 65536;

const maxSims = [4, 10, 20, 32].flatMap((lanes) => {
  const [work, prepare] = [
    2 * lanes * 800 * 128,
    (buffer) => new Int32Array(buffer, E, 8).fill(100),
  ];
  const size = `${lanes} x 800 tokens`;
  const lanesOf = (k) => k.packLanesI16(A, lanes, 128, D + MIB);
  return [
    [
      `MaxSim float32, ${size}`,
      'float32',
      work,
      (k) => k.maxDotsF32(A, lanes, 128, B, E, 8, C, 8, D),
      prepare,
    ],
    [
      `MaxSim int8, ${size}`,
      'int16',
      work,
      (k) => k.maxDotsI16(D + MIB, lanes, 128, B, E, 8, C, 8, D),
      (buffer, k) => [prepare(buffer), lanesOf(k)],
    ],
    [
      `first look at int8, ${size}`,
      'int8',
      work,
      (k) => k.maxDotsU7(D + MIB, lanes, 128, B, D + 2 * MIB, E, 8, C, 8, D),
      (buffer) => [prepare(buffer), new Uint8Array(buffer, D + MIB, 32 * 128).fill(77)],
      'maxDotsU7',
    ],
    [
      `MaxSim of 2 or 4 bits, ${size}`,
      'int16',
      work,
      (k) => k.maxDotsScaledI16(D + MIB, lanes, 128, B, A, E, 8, C, 8, D),
      (buffer, k) => [prepare(buffer), lanesOf(k)],
    ],
  ];
});

/** m, n, k. */
const PRODUCTS = [
  [1, 1024, 128],
  [64, 512, 128],
  [64, 128, 1024],
];

const products = PRODUCTS.flatMap(([m, n, k]) => [
  [
    `product float32, ${m} x ${k} x ${n}`,
    'float32',
    2 * m * n * k,
    (kernels) => kernels.gemmF32(m, n, k, A, k, 1, B, 1, k, C, n, 0, D),
  ],
  [
    `product of codes, ${m} x ${k} x ${n}`,
    'int16',
    2 * m * n * k,
    (kernels) => kernels.gemmI16(m, n, k, A, B, B, B, C, n, D),
  ],
]);

const others = [
  [
    'product float32, transposed, 1024 x 256 x 64',
    'float32',
    2 * 1024 * 256 * 64,
    (k) => k.gemmF32(1024, 64, 256, A, 1, 1024, B, 64, 1, C, 64, 0, D),
  ],
  [
    'Gram matrix float64, 128 x 256 x 128',
    'float64',
    2 * 128 * 256 * 128,
    (k) => k.outerF64(128, 128, 256, A, 128, B, 128, C, 128, D),
  ],
  [
    'scan float32, 256 rows x 1024',
    'float32',
    2 * 256 * 1024,
    (k) => k.scanF32(A, B, 256, 1024, C),
  ],
  ['scan int8, 4096 rows x 256', 'int16', 2 * 4096 * 256, (k) => k.scanI8(A, B, 4096, 256, C)],
  ['pack float32, 20 x 128', null, 20 * 128, (k) => k.packLanesF32(A, 20, 128, C)],
  ['pack int16, 20 x 128', null, 20 * 128, (k) => k.packLanesI16(A, 20, 128, C)],
  ['pack panels, 64 x 1024', null, VALUES, (k) => k.packPanelsI16(A, 64, 1024, C)],
  ['pack pairs, 64 x 1024', null, VALUES, (k) => k.packPairsI16(A, 64, 1024, C, 64)],
  ['widen int8, 512 x 128', null, VALUES, (k) => k.widenI8(A, 512, 128, C)],
  ['round rows, 64 x 1024', null, VALUES, (k) => k.quantizeRowsI16(A, 64, 1024, 2047, 0, C, D)],
  [
    'round columns, 64 x 1024',
    null,
    VALUES,
    (k) => k.quantizeColumnsI16(A, 64, 1024, 1024, D, 2047, C, D + MIB),
  ],
  ['round to int8', null, VALUES, (k) => k.quantizeI8(A, VALUES, 100, C)],
  ['largest value', null, VALUES, (k) => k.largestAbs(A, VALUES)],
  ['levels of 4 bits, 512 x 128', null, VALUES, (k) => k.unpackLevels(A, 512, 64, 4, B, C, D)],
  ['levels of 2 bits, 512 x 128', null, VALUES, (k) => k.unpackLevels(A, 512, 32, 2, B, C, D)],
  ['rotate rows, 512 x 128', null, VALUES, (k) => k.rotateRows(A, 512, 128, B, 3, C, 128)],
  ['add to float64', null, VALUES, (k) => k.addToF64(C, A, VALUES)],
  ['gelu', null, VALUES, (k) => k.activation(0, A, VALUES, C, 0)],
  ['gelu and its slope', null, VALUES, (k) => k.activation(0, A, VALUES, C, D)],
  ['relu', null, VALUES, (k) => k.activation(1, A, VALUES, C, 0)],
  ['silu', null, VALUES, (k) => k.activation(2, A, VALUES, C, 0)],
  ['mish', null, VALUES, (k) => k.activation(3, A, VALUES, C, 0)],
  ['LayerNorm, 64 x 1024', null, VALUES, (k) => k.layerNorm(A, 64, 1024, 1e-5, B, B, C, D, C)],
  [
    'its gradient, 64 x 1024',
    null,
    VALUES,
    (k) => k.layerNormBackward(A, 64, 1024, B, B + MIB, D, C),
  ],
  ['multiply', null, VALUES, (k) => k.multiply(C, A, VALUES)],
  ['sums of rows, 64 x 1024', null, VALUES, (k) => k.sumRows(A, 64, 1024, 1024, 0, C)],
  ['sums of products, 64 x 1024', null, VALUES, (k) => k.sumProducts(A, B, 64, 1024, 1024, C)],
  ['add a bias, 64 x 1024', null, VALUES, (k) => k.addBias(C, 64, 1024, A)],
  ['standardise', null, VALUES, (k) => k.standardise(C, VALUES, 0, 1)],
  ['scale and shift, 64 x 1024', null, VALUES, (k) => k.dequantise(C, 64, 1024, 1024, D, D, A)],
  ['squared error', null, VALUES, (k) => k.squaredError(C, A, VALUES, 1)],
  ['sum of squares', null, VALUES, (k) => k.sumSquares(A, VALUES)],
  ['Adam', null, VALUES, (k) => k.adam(A, B, C, D, VALUES, 1, 1e-9, 0.9, 0.999, 1, 1e-8)],
];

export const kernelCases = [...maxSims, ...products, ...others];
