import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  drawParameters,
  encodeFixedDocument,
  encodeFixedQuery,
  type FixedParameters,
  fixedDim,
  planeProducts,
} from '../../src/advise/muvera.js';
import { createRandom } from '../../src/tokens/random.js';

interface Case {
  planes: number;
  projected: number;
  repetitions: number;
  hyperplanes: number[];
  projections: number[];
  queries: number[][];
  documents: number[][];
}
const { dim, texts, cases } = JSON.parse(
  readFileSync(new URL('../fixtures/muvera/expected.json', import.meta.url), 'utf8'),
) as { dim: number; texts: number[][]; cases: Case[] };

const documentOf = (vectors: Float32Array, parameters: FixedParameters): Float32Array => {
  const out = new Float32Array(fixedDim(parameters));
  encodeFixedDocument(vectors, planeProducts(vectors, parameters), parameters, out);
  return out;
};
const largestDifference = (got: Float32Array, expected: readonly number[]): number => {
  expect(got.length).toBe(expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0);
};

describe("a fixed dimensional encoding with another implementation's random draws", () => {
  test.each(cases)('has its numbers: $planes planes, $projected values', (made) => {
    const parameters: FixedParameters = {
      ...made,
      dim,
      hyperplanes: Float32Array.from(made.hyperplanes),
      projections: Float32Array.from(made.projections),
    };
    for (const [i, text] of texts.entries()) {
      const vectors = Float32Array.from(text);
      const query = encodeFixedQuery(vectors, parameters);
      expect(largestDifference(query, made.queries[i])).toBeLessThan(1e-5);
      const document = documentOf(vectors, parameters);
      expect(largestDifference(document, made.documents[i])).toBeLessThan(1e-5);
    }
  });
});

describe('a fixed dimensional encoding', () => {
  const shape = { planes: 5, projected: 16, repetitions: 20 };
  const unit = (rows: number, of: number, seed: number): Float32Array => {
    const random = createRandom(seed);
    const vectors = new Float32Array(rows * of).map(() => random.normal());
    for (let at = 0; at < vectors.length; at += of) {
      const norm = Math.hypot(...vectors.subarray(at, at + of));
      for (let j = at; j < at + of; j++) vectors[j] /= norm;
    }
    return vectors;
  };
  const dot = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, i) => sum + value * b[i], 0);

  test('has the same parameters from the same seed, and others from another', () => {
    const { hyperplanes, projections } = drawParameters(32, shape, 3);
    expect(drawParameters(32, shape, 3)).toEqual({ ...shape, dim: 32, hyperplanes, projections });
    expect(drawParameters(32, shape, 4).hyperplanes).not.toEqual(hyperplanes);
    expect([...new Set(projections)].sort()).toEqual([-1, 1]);
    expect(fixedDim(drawParameters(32, shape, 3))).toBe(20 * 32 * 16);
  });

  test('of one token and no projection gives MaxSim itself', () => {
    const parameters = drawParameters(24, { planes: 3, projected: 24, repetitions: 4 }, 1);
    const [query, document] = [unit(5, 24, 1), unit(1, 24, 2)];
    // every part of the document has that token
    let expected = 0;
    for (let at = 0; at < query.length; at += 24)
      expected += dot(query.subarray(at, at + 24), document);
    const estimate = dot(encodeFixedQuery(query, parameters), documentOf(document, parameters));
    expect(estimate / 4).toBeCloseTo(expected, 4);
  });

  test('ranks the document that has the tokens of the query before others', () => {
    const parameters = drawParameters(32, shape, 9);
    const query = unit(8, 32, 10);
    const same = Float32Array.from([...unit(20, 32, 11), ...query]);
    const others = [12, 13, 14, 15].map((seed) => unit(28, 32, seed));
    const fixed = encodeFixedQuery(query, parameters);
    const best = Math.max(...others.map((other) => dot(fixed, documentOf(other, parameters))));
    expect(dot(fixed, documentOf(same, parameters))).toBeGreaterThan(best);
  });
});
