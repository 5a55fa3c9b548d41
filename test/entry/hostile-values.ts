// biome-ignore lint/suspicious/noExplicitAny: anything goes anywhere here
export type Any = any;

const cyclic: unknown[] = [];
cyclic.push(cyclic);
const transferred = new Float32Array(4);
structuredClone(transferred.buffer, { transfer: [transferred.buffer] });
const resizable = new Float32Array(new (ArrayBuffer as Any)(8, { maxByteLength: 16 }));
const growable = new Float32Array(new (SharedArrayBuffer as Any)(8, { maxByteLength: 16 }));

/** Values that no argument expects, and some that look like what one does. */
export const HOSTILE: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    false,
    0,
    -0,
    -1,
    1.5,
    Number.NaN,
    Infinity,
    2 ** 53,
    1e9,
    1n,
    Symbol('s'),
    () => {},
  ],
  ...['', 'x', '\0', '\ufeff', '\ud800', 'file:', 'x'.repeat(100_000)],
  ...[
    [],
    [null],
    [undefined],
    new Array(3),
    [[]],
    [[[]]],
    [['1', null]],
    [[[null, true]]],
    [[1n]],
    [1, 'a'],
    cyclic,
    Object.assign(['a', 'b'], { length: 3 }),
    [[[1, 0]], 'text'],
  ],
  ...[
    {},
    Object.create(null),
    { length: 1e9 },
    { length: -1 },
    { length: 2, 0: 1, 1: 0 },
    { next: 5 },
    { toString: null, valueOf: null },
  ],
  ...[
    new Map([['k', 1]]),
    new Set([1]),
    new Date(Number.NaN),
    new Error('e'),
    /x/,
    new AbortController(),
    new URL('https://example.org/'),
  ],
  ...[
    new Float32Array(0),
    new Float64Array(2),
    new BigInt64Array(2),
    new Uint8Array(3),
    new DataView(new ArrayBuffer(8)),
    new ArrayBuffer(8),
  ],
  ...[new SharedArrayBuffer(8), transferred, resizable, growable, Float32Array.of(Number.NaN, 1)],
  ...[
    { data: null, dims: null },
    { data: Float32Array.of(1, 0), dims: 5 },
    { data: Float32Array.of(1, 0), dims: [2 ** 40, 2 ** 40] },
  ],
  ...[
    { data: new Float32Array(0), dims: [1e9, 0, 2] },
    { data: [1, 0], dims: [1, 2] },
    { data: transferred, dims: [2, 2] },
  ],
  ...[
    { vectors: 5, counts: 5, dim: 5 },
    { vectors: Float32Array.of(1, 0), counts: { length: 1e9 }, dim: 2 },
  ],
  ...[
    { vectors: Float32Array.of(1, 0), counts: ['1'], dim: 2 },
    { vectors: Float32Array.of(1, 0), counts: [1], dim: 2 ** 53 },
  ],
  ...[
    { vectors: null },
    { indices: null, k: 1 },
    { indices: [0], k: 1n },
    { filter: null },
    { id: 5 },
    { id: 'a', text: 5 },
    { id: 'a', tokens: 5 },
  ],
  ...[
    { size: 2 ** 60, read: async () => 5 },
    { size: 8, read: async () => null },
    { size: 1n, read: 5 },
  ],
  ...[
    { x: null },
    { x: { data: [1], shape: [1] } },
    { x: { data: Float32Array.of(1), shape: 1 } },
    { x: { type: 'F32', shape: [-1] } },
  ],
  ...[
    { x: { data: new Uint16Array(2), shape: [2] } },
    { shape: null, data: Float32Array.of(1) },
    { shape: [1.5], data: new Float32Array(1) },
  ],
];
