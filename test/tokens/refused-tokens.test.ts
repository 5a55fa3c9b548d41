import { describe, expect, test } from 'vitest';
import { LemurError } from '../../src/errors.js';
import { type TokenInput, tokenSets, tokenSetsOfDim } from '../../src/tokens/token-sets.js';

const vectors = Float32Array.of(1, 0, 0, 1, 0.5, -0.5);

async function refused(input: unknown, where = 'documents'): Promise<LemurError> {
  const error: unknown = await tokenSets(input as TokenInput, where).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(LemurError);
  return error as LemurError;
}

describe('a value that is not finite is found, with its row and column', () => {
  test.each([Number.NaN, Infinity, -Infinity])('%d', async (value) => {
    const bad = vectors.slice();
    bad[5] = value;
    for (const input of [
      { vectors: bad, counts: [1, 2], dim: 2 },
      { data: bad, dims: [3, 1, 2] },
      [
        [[1, 0]],
        [
          [0, 1],
          [0.5, value],
        ],
      ],
    ]) {
      const error = await refused(input);
      expect(error).toMatchObject({
        code: 'not-finite',
        fields: { where: 'documents', row: 2, column: 1 },
      });
      expect(error.message).toBe(
        `documents: value ${value} in row 2, column 1; every value must be finite`,
      );
    }
  });

  test('in a large corpus, behind millions of good ones', async () => {
    const many = new Float32Array(5_000_000).fill(0.1);
    many[4_321_987] = Number.NaN;
    const error = await refused({ vectors: many, counts: [50_000], dim: 100 }, 'learn');
    expect(error).toMatchObject({
      code: 'not-finite',
      fields: { where: 'learn', row: 43_219, column: 87 },
    });
  });

  test('when it only overflows float32', async () => {
    expect(await refused([[[1e39, 0]]])).toMatchObject({
      code: 'not-finite',
      fields: { row: 0, column: 0 },
    });
  });

  test('when it is no number', async () => {
    expect(await refused([[['a', 0]]])).toMatchObject({ code: 'not-finite' });
  });
});

describe('what is refused, and in which words', () => {
  const cases: [string, unknown, string, Record<string, unknown>, RegExp][] = [
    [
      'counts that are too many',
      { vectors, counts: [2, 2], dim: 2 },
      'invalid-argument',
      {},
      /counts add up to 4 rows of 2 = 8 values, but vectors has 6/,
    ],
    [
      'counts that are too few',
      { vectors, counts: [1, 1], dim: 2 },
      'invalid-argument',
      {},
      /counts add up to 2 rows of 2 = 4 values, but vectors has 6/,
    ],
    [
      'a negative count',
      { vectors, counts: [4, -1], dim: 2 },
      'invalid-argument',
      {},
      /counts\[1\]: expected a non-negative integer, got -1/,
    ],
    [
      'a fractional count',
      { vectors, counts: [1.5, 1.5], dim: 2 },
      'invalid-argument',
      {},
      /counts\[0\]: expected a non-negative integer, got 1.5/,
    ],
    [
      'a count that is NaN',
      { vectors, counts: [3, Number.NaN], dim: 2 },
      'invalid-argument',
      {},
      /counts\[1\]: .* got NaN/,
    ],
    [
      'a count that overflows',
      { vectors, counts: [2 ** 31], dim: 2 },
      'invalid-argument',
      {},
      /counts\[0\]: .* got 2147483648/,
    ],
    [
      'no counts',
      { vectors, dim: 2 },
      'invalid-argument',
      {},
      /counts: expected an array of integers, got undefined/,
    ],
    [
      'counts of null',
      { vectors, counts: null, dim: 2 },
      'invalid-argument',
      {},
      /counts: expected an array of integers, got null/,
    ],
    [
      'a text of no tokens',
      { vectors, counts: [1, 0, 2], dim: 2 },
      'empty-document',
      { index: 1 },
      /text 1 has no token vectors/,
    ],
    [
      'a matrix of no tokens',
      [[[1, 2]], []],
      'empty-document',
      { index: 1 },
      /text 1 has no token vectors/,
    ],
    [
      'a tensor of no tokens',
      [{ data: new Float32Array(0), dims: [0, 2] }],
      'empty-document',
      { index: 0 },
      /text 0 has no token vectors/,
    ],
    [
      'dense texts of no tokens',
      { data: new Float32Array(0), dims: [2, 0, 5] },
      'empty-document',
      { index: 0 },
      /text 0 has no/,
    ],
    ['no texts', [], 'empty-corpus', {}, /expected at least one text, got none/],
    [
      'no ragged texts',
      { vectors: new Float32Array(0), counts: [], dim: 2 },
      'empty-corpus',
      {},
      /expected at least one text, got none/,
    ],
    [
      'no dense texts',
      { data: new Float32Array(0), dims: [0, 3, 2] },
      'empty-corpus',
      {},
      /expected at least one text, got none/,
    ],
    [
      'vectors of float64',
      { vectors: new Float64Array(6), counts: [3], dim: 2 },
      'invalid-argument',
      {},
      /vectors: expected a Float32Array, got Float64Array/,
    ],
    [
      'vectors in an array',
      { vectors: [1, 2], counts: [1], dim: 2 },
      'invalid-argument',
      {},
      /vectors: expected a Float32Array, got Array/,
    ],
    [
      'a dimension of zero',
      { vectors, counts: [3], dim: 0 },
      'invalid-argument',
      {},
      /dim: expected a positive integer, got 0/,
    ],
    [
      'a fractional dimension',
      { vectors, counts: [4], dim: 1.5 },
      'invalid-argument',
      {},
      /dim: expected a positive integer, got 1.5/,
    ],
    [
      'no dimension',
      { vectors, counts: [3] },
      'invalid-argument',
      {},
      /dim: expected a positive integer, got undefined/,
    ],
    [
      'a tensor of other data',
      { data: [1, 2], dims: [1, 1, 2] },
      'invalid-argument',
      {},
      /data: expected a Float32Array, got Array/,
    ],
    [
      'dims that do not fit',
      { data: vectors, dims: [2, 2, 2] },
      'invalid-argument',
      {},
      /dims: expected \[texts, tokens, dim\] with 6 values in all, got \[2,2,2\]/,
    ],
    [
      'dims of four',
      { data: vectors, dims: [1, 1, 3, 2] },
      'invalid-argument',
      {},
      /dims: expected \[texts, tokens, dim\]/,
    ],
    ['no dims', { data: vectors }, 'invalid-argument', {}, /dims: expected \[texts, tokens, dim\]/],
    [
      'negative dims',
      { data: vectors, dims: [-1, -3, 2] },
      'invalid-argument',
      {},
      /dims: expected \[texts, tokens, dim\]/,
    ],
    [
      'fractional dims',
      { data: vectors.slice(0, 3), dims: [1.5, 1, 2] },
      'invalid-argument',
      {},
      /dims: expected \[texts, tokens, dim\]/,
    ],
    [
      'dims of a matrix that do not fit',
      [{ data: vectors, dims: [2, 2] }],
      'invalid-argument',
      {},
      /documents\[0\].dims: expected \[tokens, dim\] with 6 values in all, got \[2,2\]/,
    ],
    [
      'fractional dims of a matrix',
      [{ data: vectors.slice(0, 3), dims: [1.5, 2] }],
      'invalid-argument',
      {},
      /documents\[0\].dims: expected \[tokens, dim\]/,
    ],
    [
      'a matrix of two texts',
      [{ data: vectors.slice(0, 4), dims: [2, 1, 2] }],
      'invalid-argument',
      {},
      /documents\[0\].dims: expected \[tokens, dim\]/,
    ],
    [
      'a matrix of other data',
      [{ data: new Int8Array(2), dims: [1, 2] }],
      'invalid-argument',
      {},
      /documents\[0\].data: expected a Float32Array, got Int8Array/,
    ],
    [
      'a text that is one flat array',
      [vectors],
      'invalid-argument',
      {},
      /documents\[0\]: expected \{ data, dims \} or an array of token vectors, got Float32Array/,
    ],
    [
      'a text of numbers',
      [[1, 2]],
      'invalid-argument',
      {},
      /documents\[0\]\[0\]: expected a token vector, got number/,
    ],
    ['a text that is null', [null], 'invalid-argument', {}, /documents\[0\]: expected .* got null/],
    [
      'a token that is null',
      [[[1], null]],
      'invalid-argument',
      {},
      /documents\[0\]\[1\]: expected a token vector, got null/,
    ],
    [
      'a token of no values',
      [[[]]],
      'invalid-argument',
      {},
      /documents\[0\]\[0\]: expected a token vector/,
    ],
    [
      'a string',
      'hello',
      'invalid-argument',
      {},
      /expected \{ vectors, counts, dim \} or an array of token matrices, got string/,
    ],
    ['texts', ['hello'], 'invalid-argument', {}, /documents\[0\]: expected .* got string/],
    ['nothing', undefined, 'invalid-argument', {}, /got undefined/],
    ['null', null, 'invalid-argument', {}, /got null/],
    ['another object', {}, 'invalid-argument', {}, /got Object/],
  ];
  test.each(cases)('%s', async (_name, input, code, fields, message) => {
    const error = await refused(input);
    expect(error.code).toBe(code);
    expect(error.fields).toMatchObject(fields);
    expect(error.fields.where).toMatch(/^documents/);
    expect(error.message).toMatch(message);
    expect(error.message.startsWith('documents')).toBe(true);
  });

  test('a text whose dimension is not that of the texts before', async () => {
    const error = await refused([[[1, 2]], [[1, 2]], [[1, 2, 3]]]);
    expect(error).toMatchObject({
      code: 'dimension-mismatch',
      fields: { where: 'documents[2]', expected: 2, got: 3 },
    });
    expect(error.message).toBe('documents[2]: token vectors have 3 dimensions, those before it 2');
  });

  test('a token whose dimension is not that of its text', async () => {
    const error = await refused([[[1, 2]], [[1, 2], [1]]]);
    expect(error).toMatchObject({
      code: 'dimension-mismatch',
      fields: { where: 'documents[1][1]', expected: 2, got: 1 },
    });
    expect(error.message).toBe('documents[1][1]: token vector has 1 dimensions, those before it 2');
  });

  test('texts of another dimension than the model', async () => {
    const error: unknown = await tokenSetsOfDim([[[1, 2]]], 3, 'queries').catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'dimension-mismatch',
      fields: { where: 'queries', expected: 3, got: 2 },
    });
    expect((error as Error).message).toBe('queries: token vectors have 2 dimensions, expected 3');
    expect((await tokenSetsOfDim([[[1, 2, 3]]], 3, 'queries')).dim).toBe(3);
  });
});
