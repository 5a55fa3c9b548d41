import { describe, expect, test } from 'vitest';
import { codeTensors } from '../../dist/device/device-codes.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { withTensors } from '../../dist/device/with-tensors.js';
import { dot, naiveMaxSim, numbers, relativeError, rowsOfTexts, sum } from '../numbers.js';
import { ComparedResults } from './compared-results.js';
import {
  count,
  DIM,
  documents,
  encode,
  int8Values,
  LATENT,
  maps,
  parametersOf,
  queries,
  sets,
  tokenRows,
  uploadInt8,
  WEIGHT_ROWS,
  weights,
} from './conformance-data.js';
import { devicesFor, SEARCHING } from './devices.js';
import { naiveFeatures } from './naive-features.js';

const device = devicesFor(SEARCHING);
const results = new ComparedResults(device);
const naive = new Map<string, unknown>();

/** What the formulas give, worked out once for all devices. */
function once<T>(what: string, compute: () => T): T {
  if (!naive.has(what)) naive.set(what, compute());
  return naive.get(what) as T;
}

describe.each(SEARCHING)('the retriever of a device: %s', (name) => {
  test.each(Object.keys(maps) as (keyof typeof maps)[])(
    'computes features of queries: %s',
    async (kind) => {
      const layout = maps[kind];
      const parameters = parametersOf(layout);
      const { sums } = await results.on(name, `features ${kind}`, (one) =>
        withTensors(one, async (scope) => {
          const map = { layout, parameters: await scope.upload('f32', parameters) };
          const summed = await scope.allocate('f32', queries.counts.length * LATENT);
          await one.queryFeatures(map, await uploadTokens(scope, sets(queries)), summed);
          return { sums: await one.read(summed) };
        }),
      );
      const expected = once(`features ${kind}`, () =>
        rowsOfTexts(queries).flatMap((rows) => {
          const each = rows.map((row) => naiveFeatures(layout, parameters, row));
          return each[0].map((_, j) => sum(each.map((row) => row[j])));
        }),
      );
      expect(relativeError(sums, expected)).toBeLessThan(1e-5);
    },
  );

  test('multiplies rows by rows', async () => {
    const [rows, columns] = [130, 70];
    const [a, b] = [numbers(31).floats(rows * DIM), numbers(32).floats(columns * DIM)];
    const { out } = await results.on(name, 'inner products', async (one) => {
      const [left, right, target] = [
        await one.upload('f32', a),
        await one.upload('f32', b),
        await one.allocate('f32', rows * columns),
      ];
      await one.innerProducts(left, rows, right, columns, DIM, target);
      const out = await one.read(target);
      one.free(left, right, target);
      return { out };
    });
    const right = tokenRows(b, DIM);
    expect(
      relativeError(
        out,
        tokenRows(a, DIM).flatMap((x) => right.map((y) => dot(x, y))),
      ),
    ).toBeLessThan(1e-6);
  });

  test('encodes weights as prefixes by one scale and as full codes by a scale for each row', async () => {
    const { w, mean, map, step } = weights;
    const { prefix, codes, scales } = await results.on(name, 'codes', async (one) => {
      const encoded = await encode(one);
      const results = {
        prefix: await one.read(encoded.prefix),
        codes: await one.read(encoded.full),
        scales: await one.read(encoded.scales),
      };
      one.free(...codeTensors(encoded));
      return results;
    });
    const centred = tokenRows(w, LATENT).map((row) => Array.from(row, (v, j) => v - mean[j]));
    const projections = once('projections', () =>
      centred.flatMap((row) => tokenRows(map, LATENT).map((direction) => dot(row, direction))),
    );
    let off = 0;
    for (const [i, value] of projections.entries()) {
      const nearest = Math.max(-127, Math.min(127, value / step));
      off = Math.max(off, Math.abs(prefix[i] - nearest));
    }
    expect(prefix.length).toBe(projections.length);
    expect(off).toBeLessThan(0.5 + 1e-4);
    expect(prefix.some((code) => Math.abs(code) === 127)).toBe(true);
    for (const [r, row] of centred.entries()) {
      expect(scales[r]).toBeCloseTo(Math.max(...row.map(Math.abs)) / 127, 6);
      const errors = row.map((value, j) => Math.abs(codes[r * LATENT + j] * scales[r] - value));
      expect(Math.max(...errors)).toBeLessThan(scales[r] * 0.51);
    }
  });

  test.each([
    ['all rows', WEIGHT_ROWS, 10],
    ['a part of the rows', 200, 10],
    ['more than there are', WEIGHT_ROWS, WEIGHT_ROWS + 3],
  ])('finds the rows with the best codes, rescoring %s', async (_what, rescored, k) => {
    const { w, mean, map } = weights;
    const count = 300;
    const q = numbers(36).floats(count * LATENT);
    const prefixes = Float32Array.from(
      tokenRows(q, LATENT).flatMap((row) =>
        tokenRows(map, LATENT).map((direction) => dot(row, direction)),
      ),
    );
    const { indices, scores } = await results.on(
      name,
      `top codes ${rescored} ${k}`,
      async (one) => {
        const encoded = await encode(one);
        const [full, short] = [await one.upload('f32', q), await one.upload('f32', prefixes)];
        const top = await one.topCodes(encoded, full, short, count, rescored, k);
        one.free(...codeTensors(encoded), full, short);
        return top;
      },
    );
    const centred = tokenRows(w, LATENT).map((row) => Array.from(row, (v, j) => v - mean[j]));
    const kept = Math.min(k, WEIGHT_ROWS);
    let found = 0;
    for (const query of [0, 1, 255, 256, 299]) {
      const products = once(`products with query ${query}`, () =>
        centred.map((row) => dot(row, q.subarray(query * LATENT, (query + 1) * LATENT))),
      );
      const scale = Math.max(...products.map(Math.abs));
      const listed = Array.from(indices.subarray(query * k, query * k + kept));
      expect(new Set(listed).size).toBe(kept);
      for (const [i, row] of listed.entries()) {
        expect(Math.abs(scores[query * k + i] - products[row])).toBeLessThan(0.02 * scale);
        if (i > 0) expect(scores[query * k + i]).toBeLessThanOrEqual(scores[query * k + i - 1]);
      }
      expect([...indices.subarray(query * k + kept, (query + 1) * k)]).toEqual(
        new Array(k - kept).fill(-1),
      );
      const best = products.map((_, row) => row).sort((a, b) => products[b] - products[a]);
      found += best.slice(0, kept).filter((row) => listed.includes(row)).length / kept;
    }
    // random prefixes say little: rescoring a part misses some
    expect(found / 5).toBeGreaterThan(rescored === WEIGHT_ROWS ? 0.97 : 0.5);
  });
  test('finds the largest inner products, ties by the lower row, short rows ending in -1', async () => {
    const [rows, dim, k, queryCount] = [1300, 33, 20, 300];
    // small integers, so that ties abound and sums are exact
    const w = Float32Array.from(numbers(9).integers(rows * dim, 1));
    const q = Float32Array.from(numbers(10).integers(queryCount * dim, 1));
    const { indices, scores, few } = await results.on(
      name,
      'largest inner products',
      async (one) => {
        const [uploaded, weights] = [await one.upload('f32', q), await one.upload('f32', w)];
        const top = await one.topInnerProducts(uploaded, queryCount, weights, rows, dim, k);
        const short = await one.topInnerProducts(uploaded, 2, weights, 7, dim, k);
        one.free(uploaded, weights);
        return { ...top, few: short.indices };
      },
    );
    const best = (query: number, among: number, wanted: number): { row: number; score: number }[] =>
      Array.from({ length: among }, (_, row) => ({
        row,
        score: dot(
          q.subarray(query * dim, (query + 1) * dim),
          w.subarray(row * dim, (row + 1) * dim),
        ),
      }))
        .sort((a, b) => b.score - a.score || a.row - b.row)
        .slice(0, wanted);
    const expected = once('largest inner products', () =>
      Array.from({ length: queryCount }, (_, i) => best(i, rows, k)).flat(),
    );
    expect([...indices]).toEqual(expected.map(({ row }) => row));
    expect([...scores]).toEqual(expected.map(({ score }) => score));
    expect([...few]).toEqual(
      [0, 1].flatMap((i) => [
        ...best(i, 7, 7).map(({ row }) => row),
        ...new Array<number>(13).fill(-1),
      ]),
    );
  });

  test('scores all documents and chosen ones by exact MaxSim', async () => {
    const candidates = Int32Array.from([
      70,
      0,
      3,
      3,
      69,
      ...Array.from({ length: 40 }, (_, i) => (i * 3) % count),
    ]);
    // the second and the last query have no candidates
    const offsets = Int32Array.from([0, 2, 2, 5, 40, 45, 45]);
    const { all, chosen } = await results.on(name, 'MaxSim', async (one) => {
      const [asked, tokens] = [
        await uploadTokens(one, sets(queries)),
        await uploadTokens(one, sets(documents)),
      ];
      const [out, some] = [
        await one.allocate('f32', queries.counts.length * count),
        await one.allocate('f32', candidates.length),
      ];
      const list = await one.upload('i32', candidates);
      await one.maxSim(asked, tokens, out);
      await one.maxSimSubset(asked, tokens, list, offsets, some);
      const results = { all: await one.read(out), chosen: await one.read(some) };
      for (const texts of [asked, tokens]) one.free(texts.vectors, texts.counts, texts.offsets);
      one.free(out, some, list);
      return results;
    });
    const texts = rowsOfTexts(documents);
    const asked = rowsOfTexts(queries);
    const expected = once('MaxSim', () =>
      asked.flatMap((query) => texts.map((document) => naiveMaxSim(query, document))),
    );
    expect(relativeError(all, expected)).toBeLessThan(1e-6);
    const subset = asked.flatMap((query, i) =>
      Array.from(candidates.subarray(offsets[i], offsets[i + 1]), (d) =>
        naiveMaxSim(query, texts[d]),
      ),
    );
    expect(relativeError(chosen, subset)).toBeLessThan(1e-6);
  });

  test('takes int8 documents: MaxSim is that of their values, up to the rounding of the other side', async () => {
    const { all } = await results.on(name, 'int8 documents', (one) =>
      withTensors(one, async (scope) => {
        const asked = await uploadTokens(scope, sets(queries));
        const out = await scope.allocate('f32', queries.counts.length * count);
        await one.maxSim(asked, await uploadInt8(scope), out);
        return { all: await one.read(out) };
      }),
    );
    const texts = rowsOfTexts(int8Values());
    const expected = once('MaxSim with int8', () =>
      rowsOfTexts(queries).flatMap((query) =>
        texts.map((document) => naiveMaxSim(query, document)),
      ),
    );
    expect(relativeError(all, expected)).toBeLessThan(3e-4);
  });
});

test('the CPU gives the same bytes with one thread, two threads and unshared memory; the plain kernels the same numbers', async () => {
  await results.expectSame(['one thread', 'two threads', 'unshared memory'], ['plain']);
});
