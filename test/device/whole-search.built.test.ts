import { describe, expect, test } from 'vitest';
import type { SearchDevice } from '../../dist/device/device.js';
import { codeTensors } from '../../dist/device/device-codes.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import type { DocumentSearch, SearchDepths, TopOptions } from '../../dist/device/retriever.js';
import { type TensorScope, withTensors } from '../../dist/device/with-tensors.js';
import { sliceTexts } from '../../dist/tokens/slice-texts.js';
import type { TokenSets } from '../../dist/tokens/token-sets.js';
import { numbers, randomTexts } from '../numbers.js';
import {
  DIM,
  encode,
  LATENT,
  maps,
  parametersOf,
  queries,
  sets,
  WEIGHT_ROWS,
  weights,
} from './conformance-data.js';
import { devicesFor, SEARCHING } from './devices.js';

const device = devicesFor(SEARCHING);
const COUNT = queries.counts.length;
const all = sets(queries);
/** Every tenth document has the tokens of the one before, so that some scores are equal. */
const texts = randomTexts(
  43,
  Array.from({ length: WEIGHT_ROWS }, () => 3),
  DIM,
);
for (let d = 10; d < WEIGHT_ROWS; d += 10)
  texts.vectors.copyWithin(d * 3 * DIM, (d - 1) * 3 * DIM, d * 3 * DIM);
const base = numbers(41).floats(LATENT, 0.2);
const relative = numbers(42).floats(WEIGHT_ROWS).map(Math.abs);
const few = Int8Array.from({ length: WEIGHT_ROWS }, (_, row) => Number(row % 50 === 0));

const DEPTHS: SearchDepths = { rescored: 100, candidates: 40, k: 10 };

async function searched(
  one: SearchDevice,
  scope: TensorScope,
  { lengths, int8 }: { lengths: boolean; int8: boolean },
): Promise<DocumentSearch> {
  const codes = await encode(one);
  scope.ownAll(codeTensors(codes));
  const plain = await uploadTokens(scope, sets(texts));
  const rows = WEIGHT_ROWS * 3 * DIM;
  const documents = int8 && {
    ...plain,
    encoding: 'int8',
    vectors: await scope.upload('i8', Int8Array.from(numbers(44).integers(rows, 127))),
    scales: await scope.upload('f32', new Float32Array(WEIGHT_ROWS).fill(0.01)),
    parameters: await scope.upload('f32', numbers(45).floats(DIM, 0.2)),
  };
  const stretch = lengths && { relative: await scope.upload('f32', relative), step: weights.step };
  return {
    featureMap: {
      layout: maps.one,
      parameters: await scope.upload('f32', parametersOf(maps.one)),
      unit: true,
    },
    projection: await scope.upload('f32', weights.map),
    means: lengths ? { mean: weights.mean, base } : null,
    codes: { ...codes, lengths: stretch || null },
    documents: documents || plain,
  };
}

/** Candidates by one call, their scores by another, sorted here. */
async function inTwoCalls(
  one: SearchDevice,
  scope: TensorScope,
  { codes, documents, ...reduction }: DocumentSearch,
  asked: TokenSets,
  { rescored, candidates, k }: SearchDepths,
  options: TopOptions,
) {
  const tokens = await uploadTokens(scope, asked);
  const of = { ...reduction, tokens };
  const { indices } = await one.topCodesOfTokens(codes, of, rescored, candidates, options);
  const lists = Array.from(asked.counts, (_, q) =>
    Array.from(indices.subarray(q * candidates, (q + 1) * candidates)).filter((row) => row >= 0),
  );
  const offsets = new Int32Array(lists.length + 1);
  for (const [q, list] of lists.entries()) offsets[q + 1] = offsets[q] + list.length;
  const chosen = await scope.upload('i32', Int32Array.from(lists.flat()));
  const out = await scope.allocate('f32', lists.flat().length);
  await one.maxSimSubset(tokens, documents, chosen, offsets, out);
  const scores = await one.read(out);
  return lists.map((list, q) => ({
    scored: list.length,
    best: list
      .map((row, i) => ({ row, score: scores[offsets[q] + i] }))
      .sort((a, b) => b.score - a.score)
      .slice(0, k),
  }));
}

/** What one call answers, in the same form. */
async function inOneCall(
  one: SearchDevice,
  search: DocumentSearch,
  asked: TokenSets,
  depths: SearchDepths,
  options: TopOptions,
) {
  const { indices, scores, scored } = await one.searchDocuments(search, asked, depths, options);
  const { k } = depths;
  expect(indices).toHaveLength(asked.counts.length * k);
  return Array.from(asked.counts, (_, q) => ({
    scored: scored[q],
    best: Array.from(indices.subarray(q * k, (q + 1) * k), (row, i) => {
      return { row, score: scores[q * k + i] };
    }).filter(({ row }) => row >= 0),
  }));
}

describe.each(SEARCHING)('candidates and exact scores in one call: %s', (name) => {
  const kinds = [
    { lengths: false, int8: false },
    { lengths: true, int8: name !== 'retriever alone' },
  ];

  test.each(kinds)('are the same as in two calls: %o', async (kind) => {
    const one = device(name);
    await withTensors(one, async (scope) => {
      const search = await searched(one, scope, kind);
      for (const [from, to] of [
        [0, COUNT],
        [0, 1],
        [4, 5],
        [1, 3],
        [0, 1],
      ]) {
        const asked = sliceTexts(all, from, to);
        const expected = await inTwoCalls(one, scope, search, asked, DEPTHS, {});
        expect(await inOneCall(one, search, asked, DEPTHS, {})).toEqual(expected);
      }
    });
  });

  test('are fewer where a mask leaves fewer, and none where it leaves none', async () => {
    const one = device(name);
    await withTensors(one, async (scope) => {
      const search = await searched(one, scope, kinds[0]);
      const options = { allowed: await scope.upload('i8', few) };
      const expected = await inTwoCalls(one, scope, search, all, DEPTHS, options);
      expect(expected[0].scored).toBe(14);
      expect(await inOneCall(one, search, all, DEPTHS, options)).toEqual(expected);
      const wide = { rescored: 900, candidates: 800, k: 900 };
      const found = await inOneCall(one, search, all, wide, options);
      expect(found.map(({ best }) => best.length)).toEqual(new Array(COUNT).fill(14));
      const none = { allowed: await scope.upload('i8', new Int8Array(WEIGHT_ROWS)) };
      expect((await inOneCall(one, search, all, DEPTHS, none))[0]).toEqual({ scored: 0, best: [] });
    });
  });

  test('are right for callers at the same time, and after an abort', async () => {
    const one = device(name);
    if (name === 'retriever alone') return;
    await withTensors(one, async (scope) => {
      const search = await searched(one, scope, kinds[1]);
      const asked = Array.from({ length: COUNT }, (_, q) => sliceTexts(all, q, q + 1));
      const answer = (of: TokenSets) => inOneCall(one, search, of, DEPTHS, {});
      const expected: unknown[] = [];
      for (const of of asked) expected.push(await answer(of));
      const controller = new AbortController();
      const reason = new Error('enough');
      const stopped = inOneCall(one, search, all, DEPTHS, { signal: controller.signal });
      const together = Promise.all([...asked, ...asked].map(answer));
      controller.abort(reason);
      await expect(stopped).rejects.toBe(reason);
      expect(await together).toEqual([...expected, ...expected]);
    });
  });
});
