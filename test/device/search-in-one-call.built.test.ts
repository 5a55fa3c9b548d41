import { describe, expect, test } from 'vitest';
import type { SearchDevice } from '../../dist/device/device.js';
import { codeTensors, type DeviceCodes } from '../../dist/device/device-codes.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import type { TokenQueries, TopOptions, TopRows } from '../../dist/device/retriever.js';
import { type TensorScope, withTensors } from '../../dist/device/with-tensors.js';
import { sliceTexts } from '../../dist/tokens/slice-texts.js';
import { dot, numbers } from '../numbers.js';
import {
  encode,
  LATENT,
  maps,
  PREFIX,
  parametersOf,
  queries,
  sets,
  tokenRows,
  WEIGHT_ROWS,
  weights,
} from './conformance-data.js';
import { devicesFor, SEARCHING } from './devices.js';

const device = devicesFor(SEARCHING);
const COUNT = queries.counts.length;
const base = numbers(41).floats(LATENT, 0.2);
const relative = numbers(42).floats(WEIGHT_ROWS).map(Math.abs);
const mask = Int8Array.from({ length: WEIGHT_ROWS }, (_, row) => Number(row % 3 > 0));

interface Asked {
  codes: DeviceCodes;
  queries: TokenQueries;
  options: TopOptions;
}

/** Queries from .. to, codes with lengths or without, all rows or those of the mask. */
async function ask(
  one: SearchDevice,
  scope: TensorScope,
  [from, to]: readonly [number, number],
  kind: keyof typeof maps,
  lengths: boolean,
  masked: boolean,
): Promise<Asked> {
  const plain = await encode(one);
  scope.ownAll(codeTensors(plain));
  const parameters = await scope.upload('f32', parametersOf(maps[kind]));
  const stretch = lengths && { relative: await scope.upload('f32', relative), step: weights.step };
  return {
    codes: { ...plain, lengths: stretch || null },
    queries: {
      featureMap: { layout: maps[kind], parameters, unit: kind !== 'random' },
      tokens: await uploadTokens(scope, sliceTexts(sets(queries), from, to)),
      projection: await scope.upload('f32', weights.map),
      means: lengths ? { mean: weights.mean, base } : null,
    },
    options: { allowed: masked ? await scope.upload('i8', mask) : null },
  };
}

/** What the calls for each step give. */
async function stepByStep(
  one: SearchDevice,
  scope: TensorScope,
  { codes, queries: { featureMap, tokens, projection, means }, options }: Asked,
  rescored: number,
  k: number,
): Promise<TopRows & { features: Float32Array }> {
  const count = tokens.documentCount;
  const features = await scope.allocate('f32', count * LATENT);
  const prefixes = await scope.allocate('f32', count * PREFIX);
  await one.queryFeatures(featureMap, tokens, features);
  await one.innerProducts(features, count, projection, PREFIX, LATENT, prefixes);
  const values = await one.read(features);
  const shifts =
    means && tokenRows(values, LATENT).map((q) => dot(q, means.mean) - dot(q, means.base));
  const top = await one.topCodes(codes, features, prefixes, count, rescored, k, {
    ...options,
    shifts: shifts && (await scope.upload('f32', Float32Array.from(shifts))),
  });
  return { ...top, features: values };
}

const ranges = [
  [0, COUNT],
  [0, 1],
  [3, 4],
  [4, 5],
  [1, 3],
] as const;

describe.each(SEARCHING)('a search in one call: %s', (name) => {
  test.each(ranges)(
    'answers queries %i to %i as one step after the other does',
    async (...range) => {
      const one = device(name);
      for (const kind of Object.keys(maps) as (keyof typeof maps)[])
        for (const [lengths, masked] of [
          [false, false],
          [true, true],
        ])
          await withTensors(one, async (scope) => {
            const asked = await ask(one, scope, range, kind, lengths, masked);
            const expected = await stepByStep(one, scope, asked, 100, 20);
            const found = await one.topCodesOfTokens(
              asked.codes,
              asked.queries,
              100,
              20,
              asked.options,
            );
            expect(found).toEqual(expected);
          });
    },
  );

  test('gives the signal’s reason where it is aborted, and works afterwards', async () => {
    const one = device(name);
    if (name === 'retriever alone') return;
    await withTensors(one, async (scope) => {
      const { codes, queries } = await ask(one, scope, [0, COUNT], 'one', false, false);
      const expected = await one.topCodesOfTokens(codes, queries, 100, 20);
      for (const turns of [0, 1, 2, 3]) {
        const controller = new AbortController();
        const reason = new Error('enough');
        const { signal } = controller;
        const outcome = one
          .topCodesOfTokens(codes, queries, 100, 20, { signal })
          .catch((error: unknown) => error);
        for (let i = 0; i < turns; i++) await new Promise(setImmediate);
        controller.abort(reason);
        // it may have ended before
        const found = await outcome;
        if (found !== reason) expect(found).toEqual(expected);
      }
      expect(await one.topCodesOfTokens(codes, queries, 100, 20)).toEqual(expected);
    });
  });

  test('fails as a whole where one of its steps does, and works afterwards', async () => {
    const one = device(name);
    if (name === 'retriever alone') return;
    await withTensors(one, async (scope) => {
      const { codes, queries } = await ask(one, scope, [0, COUNT], 'one', false, false);
      const expected = await one.topCodesOfTokens(codes, queries, 100, 20);
      // a handle that promises more values than any buffer has
      const lying = { ...codes, scales: { ...codes.scales, length: 2 ** 45 } };
      await expect(one.topCodesOfTokens(lying, queries, 100, 20)).rejects.toMatchObject({
        code: 'worker-failed',
      });
      expect(await one.topCodesOfTokens(codes, queries, 100, 20)).toEqual(expected);
    });
  });
});
