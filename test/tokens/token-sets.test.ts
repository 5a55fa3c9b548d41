import { describe, expect, test } from 'vitest';
import { type TokenInput, tokenSets } from '../../src/tokens/token-sets.js';
import { numbers } from '../numbers.js';

const vectors = Float32Array.of(1, 0, 0, 1, 0.5, -0.5);

describe('texts of one and of two tokens', () => {
  const rows = [
    [1, 0],
    [0, 1],
    [0.5, -0.5],
  ];
  const forms: [string, TokenInput][] = [
    ['ragged pairs', { vectors, counts: [1, 2], dim: 2 }],
    ['counts as Int32Array', { vectors, counts: Int32Array.of(1, 2), dim: 2 }],
    ['counts as Float64Array', { vectors, counts: Float64Array.of(1, 2), dim: 2 }],
    [
      'counts as BigInt64Array',
      { vectors, counts: BigInt64Array.of(1n, 2n) as unknown as ArrayLike<number>, dim: 2 },
    ],
    ['nested arrays', [[rows[0]], [rows[1], rows[2]]]],
    [
      'arrays of Float32Array',
      [[Float32Array.from(rows[0])], [Float32Array.from(rows[1]), Float32Array.from(rows[2])]],
    ],
    [
      'tensors',
      [
        { data: vectors.slice(0, 2), dims: [1, 2] },
        { data: vectors.slice(2), dims: [2, 2] },
      ],
    ],
    [
      'tensors with a leading dimension of 1',
      [
        { data: vectors.slice(0, 2), dims: [1, 1, 2] },
        { data: vectors.slice(2), dims: [1, 2, 2] },
      ],
    ],
    ['a mixture', [[rows[0]], { data: vectors.slice(2), dims: [2, 2] }]],
  ];
  test.each(forms)('are the same as %s', async (_name, input) => {
    const sets = await tokenSets(input, 'documents');
    expect(sets).toEqual({
      vectors,
      counts: Int32Array.of(1, 2),
      offsets: Float64Array.of(0, 1, 3),
      dim: 2,
    });
  });
});

test('a dense tensor is texts of equal length; two dimensions are one text', async () => {
  const data = numbers(1).floats(12);
  const three = {
    vectors: data,
    counts: Int32Array.of(2, 2, 2),
    offsets: Float64Array.of(0, 2, 4, 6),
    dim: 2,
  };
  expect(await tokenSets({ data, dims: [3, 2, 2] }, 'queries')).toEqual(three);
  const one = { vectors: data, counts: Int32Array.of(3), offsets: Float64Array.of(0, 3), dim: 4 };
  expect(await tokenSets({ data, dims: [3, 4] }, 'queries')).toEqual(one);
});

test('vectors that come as one array are used where they lie', async () => {
  expect((await tokenSets({ vectors, counts: [3], dim: 2 }, 'documents')).vectors).toBe(vectors);
});
test('an aborted signal stops the check with its reason', async () => {
  const reason = new Error('enough');
  await expect(
    tokenSets({ vectors, counts: [3], dim: 2 }, 'documents', AbortSignal.abort(reason)),
  ).rejects.toBe(reason);
});
