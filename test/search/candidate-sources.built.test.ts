import { describe, expect, test } from 'vitest';
import type { SearchDevice } from '../../dist/device/device.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { randomLayout } from '../../dist/device/feature-layout.js';
import { acceptCandidates } from '../../dist/search/accept-candidates.js';
import { type AllowedDocuments, allowedDocuments } from '../../dist/search/allowed-documents.js';
import type { CandidateQueries, CandidateSource } from '../../dist/search/candidate-source.js';
import { DeviceQueries } from '../../dist/search/device-queries.js';
import { exactSource } from '../../dist/search/exact-source.js';
import { createFirstStage } from '../../dist/search/prefix/first-stage.js';
import { prefixSource } from '../../dist/search/prefix/prefix-source.js';
import type { ScanSource } from '../../dist/search/scan-source.js';
import { scoreDocuments } from '../../dist/search/score-documents.js';
import { weightsSource } from '../../dist/search/weights-source.js';
import { sliceTexts } from '../../dist/tokens/slice-texts.js';
import { type TokenSets, tokenSets } from '../../dist/tokens/token-sets.js';
import { devicesFor } from '../device/devices.js';
import { naiveFeatures } from '../device/naive-features.js';
import { dot, naiveMaxSim, numbers, randomTexts, rowsOfTexts } from '../numbers.js';

const [DIM, LATENT, DOCUMENTS, QUERIES] = [8, 16, 90, 5];
const deviceOf = devicesFor(['plain', 'two threads']);

const countsOf = (texts: number): number[] => Array.from({ length: texts }, (_, i) => 1 + (i % 4));
const given = {
  documents: randomTexts(1, countsOf(DOCUMENTS), DIM),
  queries: randomTexts(2, countsOf(QUERIES), DIM),
};
const [documents, queries] = [rowsOfTexts(given.documents), rowsOfTexts(given.queries)];
const random = numbers(3);
const weights = random.unitRows(DOCUMENTS, LATENT);
const layout = randomLayout(DIM, LATENT, 'relu');
const parameters = random.floats(layout.parameterCount);

const features = queries.map((tokens) => {
  const each = tokens.map((token) => naiveFeatures(layout, parameters, token));
  return each[0].map((_, j) => each.reduce((sum, psi) => sum + psi[j], 0));
});

/**
 * Weights and features of documents and queries as a prefix map that keeps all of them has them.
 */
const identity = Float32Array.from({ length: LATENT * LATENT }, (_, i) =>
  Number(i % (LATENT + 1) === 0),
);
const map = {
  dim: LATENT,
  mean: new Float32Array(LATENT),
  documentProjection: identity,
  queryProjection: identity,
  step: 1 / 127,
  base: null,
};

interface Made {
  source: CandidateSource | ScanSource;
  /** Numbers of documents that it must answer, where they are known; in any order. */
  expected?: (query: number, k: number, allowed: AllowedDocuments) => number[];
}

const byWeights = (query: number, k: number, allowed: AllowedDocuments): number[] => {
  const q = features[query];
  const scoreOf = (row: number): number =>
    dot(q, weights.subarray(row * LATENT, (row + 1) * LATENT));
  return [...allowed.rows()].sort((a, b) => scoreOf(b) - scoreOf(a)).slice(0, k);
};

const SOURCES: Record<string, (device: SearchDevice) => Promise<Made>> = {
  exact: async () => ({ source: exactSource, expected: (_q, _k, allowed) => [...allowed.rows()] }),
  weights: async (device) => ({
    source: weightsSource(device, await device.upload('f32', weights), LATENT),
    expected: byWeights,
  }),
  prefix: async (device) => {
    const w = await device.upload('f32', weights);
    return { source: prefixSource(device, await createFirstStage(device, map, w, null)) };
  },
  'one of ids': async () => ({
    source: {
      name: 'ids',
      candidates: async ({ tokens }: CandidateQueries, k: number) =>
        Array.from(tokens.counts, (_, q) => Array.from({ length: k }, (_x, i) => `d${q + 3 * i}`)),
    },
  }),
  'one of rows': async () => ({
    source: {
      name: 'rows',
      candidates: async ({ tokens }: CandidateQueries, k: number) => ({
        indices: Int32Array.from({ length: tokens.counts.length * k }, (_, i) => (7 * i) % 101),
        k,
      }),
    },
  }),
};

/** Queries whose features are those of the map. */
const queriesOf = async (device: SearchDevice, tokens: TokenSets): Promise<DeviceQueries> =>
  new DeviceQueries(device, tokens, {
    featureMap: { layout, parameters: await device.upload('f32', parameters) },
  });

const masks: Record<string, Uint8Array | null> = {
  'all documents': null,
  'two of three documents': Uint8Array.from({ length: DOCUMENTS }, (_, i) => Number(i % 3 > 0)),
  'a single document': Uint8Array.from({ length: DOCUMENTS }, (_, i) => Number(i === 40)),
};
const allowedOf = (mask: Uint8Array | null): AllowedDocuments =>
  allowedDocuments(DOCUMENTS, mask, (id) => (/^d\d+$/.test(id) ? Number(id.slice(1)) : -1));

describe.each(['plain', 'two threads'])('on %s', (name) => {
  describe.each(Object.keys(SOURCES))('%s', (kind) => {
    test.each(Object.keys(masks))(
      'leads to the hits that plain MaxSim finds among what it answers, of %s',
      async (which) => {
        const device = deviceOf(name);
        const [sets, corpus] = [
          await tokenSets(given.queries, 'queries'),
          await tokenSets(given.documents, 'documents'),
        ];
        const asked = await queriesOf(device, sets);
        const { source, expected } = await SOURCES[kind](device);
        const allowed = allowedOf(masks[which]);
        const request = { allowed, filter: undefined, signal: undefined };
        const [k, hits] = [12, 4];
        const answer = await source.candidates(asked, k, request);
        const most = kind === 'exact' ? allowed.count : k;
        const lists = await acceptCandidates(answer, QUERIES, most, allowed);

        expect(lists).toHaveLength(QUERIES);
        for (const [q, list] of lists.entries()) {
          expect(new Set(list).size).toBe(list.length);
          expect(list.length).toBeLessThanOrEqual(most);
          for (const row of list) expect(masks[which]?.[row] ?? 1).toBe(1);
          if (expected) expect([...list].sort()).toEqual(expected(q, k, allowed).sort());
        }
        const tokens = await uploadTokens(device, corpus);
        const uploaded = new DeviceQueries(device, sets);
        const top = await scoreDocuments(device, uploaded, tokens, lists, hits);
        await uploaded.close();
        for (const [q, list] of lists.entries()) expectHits(top, q, list, hits);
      },
    );

    test('answers each query as it does alone', async () => {
      const device = deviceOf(name);
      if (kind.startsWith('one of')) return;
      const sets = await tokenSets(given.queries, 'queries');
      const { source } = await SOURCES[kind](device);
      const ask = async (tokens: TokenSets) =>
        acceptCandidates(
          await source.candidates(await queriesOf(device, tokens), 12, {
            allowed: allowedOf(null),
            filter: undefined,
            signal: undefined,
          }),
          tokens.counts.length,
          DOCUMENTS,
          allowedOf(null),
        );
      const together = await ask(sets);
      for (let q = 0; q < QUERIES; q++)
        expect(await ask(sliceTexts(sets, q, q + 1))).toEqual([together[q]]);
    });
  });
});

/** The best of a list by the formula, with scores, equal ones by their order in the list. */
function expectHits(
  top: { indices: Int32Array; scores: Float32Array },
  q: number,
  list: Int32Array,
  k: number,
): void {
  const scored = [...list].map((row) => ({ row, score: naiveMaxSim(queries[q], documents[row]) }));
  const best = scored.sort((a, b) => b.score - a.score).slice(0, k);
  const found = best.length;
  expect([...top.indices.slice(q * k, q * k + found)]).toEqual(best.map(({ row }) => row));
  for (const [i, { score }] of best.entries()) expect(top.scores[q * k + i]).toBeCloseTo(score, 4);
  expect([...top.indices.slice(q * k + found, (q + 1) * k)]).toEqual(new Array(k - found).fill(-1));
}
