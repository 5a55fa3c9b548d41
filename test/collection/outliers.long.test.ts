import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { naiveMaxSim, numbers, rowsOfTexts, type Texts } from '../numbers.js';

const [DIM, DOCUMENTS, TOKENS, QUERIES, K, CANDIDATES] = [24, 900, 5, 16, 10, 80];
const SMALL = {
  olsSampleSize: 1024,
  finalHiddenDim: 96,
  prefixDim: 32,
  trainSubsetSize: 96,
  learnSubsetSize: 1024,
  batchSize: 128,
};

/** Texts whose tokens lie about three of 40 directions each, of unit length. */
function textsOf(seed: number, count: number, tokens: number): Texts {
  const random = numbers(seed);
  const directions = numbers(99).unitRows(40, DIM);
  const chosen = random.integers(3 * count, 20).map((n) => (n + 20) % 40);
  const vectors = random.floats(count * tokens * DIM, 0.25);
  for (let row = 0; row < count * tokens; row++) {
    const direction = chosen[3 * Math.floor(row / tokens) + (row % 3)];
    const own = vectors.subarray(row * DIM, (row + 1) * DIM);
    for (let j = 0; j < DIM; j++) own[j] += directions[direction * DIM + j];
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < DIM; j++) own[j] /= length;
  }
  return { vectors, counts: new Array<number>(count).fill(tokens), dim: DIM };
}

type Rows = readonly (readonly Float32Array[])[];
const documents: Rows = rowsOfTexts(textsOf(1, DOCUMENTS, TOKENS));
const queries: Rows = rowsOfTexts(textsOf(2, QUERIES, 4));
/** One number for each document, in [-1, 1). */
const draws = numbers(3).floats(DOCUMENTS);
const times = (rows: readonly Float32Array[], factor: number): Float32Array[] =>
  rows.map((row) => row.map((value) => value * factor));
const scaledBy = (scale: (document: number) => number): Rows =>
  documents.map((tokens, i) => times(tokens, scale(i)));

function inputOf(rows: Rows, from = 0) {
  return rows.map((tokens, i) => {
    const data = new Float32Array(tokens.length * DIM);
    for (const [row, values] of tokens.entries()) data.set(values, row * DIM);
    return { id: `${from + i}`, tokens: { data, dims: [tokens.length, DIM] } };
  });
}

/** With the last `late` documents added after the fit. */
async function collection(
  rows: Rows,
  { epochs = 0, precision = 'float32' as 'float32' | 'int8', late = 0 } = {},
): Promise<Index> {
  const index = await Index.create(memoryStorage(), {
    dim: DIM,
    precision,
    features: 'random',
    threads: 1,
  });
  await index.add(inputOf(rows.slice(0, rows.length - late)));
  await index.fit({ ...SMALL, epochs });
  if (late > 0) await index.add(inputOf(rows.slice(rows.length - late), rows.length - late));
  return index;
}

async function candidatesOf(index: Index, asked: Rows): Promise<string[][]> {
  const found = await index.searchBatch(
    asked.map((tokens) => [...tokens]),
    { k: CANDIDATES, numCandidates: CANDIDATES, include: [] },
  );
  return found.map(({ hits, how }) => {
    expect(how.method).toBe('features');
    return hits.map(({ id }) => id);
  });
}

/**
 * Share of the 10 documents of those that `counts` takes that are best by the formula which are
 * among the 80 candidates.
 */
async function recallOf(
  index: Index,
  rows: Rows,
  asked: Rows = queries,
  counts: (document: number) => boolean = () => true,
): Promise<number> {
  const found = await candidatesOf(index, asked);
  let hits = 0;
  for (const [q, query] of asked.entries()) {
    const scores = rows.map((tokens) => naiveMaxSim(query, tokens));
    const best = Array.from(rows.keys()).filter(counts);
    best.sort((a, b) => scores[b] - scores[a]);
    hits += best.slice(0, K).filter((document) => found[q].includes(`${document}`)).length;
  }
  return hits / (K * asked.length);
}

describe('documents whose vectors are of other lengths than those of others', () => {
  test.each<[string, (document: number) => number, 'few'?]>([
    ['one is 1,000 times as long', (i) => (i === 700 ? 1000 : 1), 'few'],
    ['one in a hundred is 1,000 times as long', (i) => (draws[i] > 0.98 ? 1000 : 1), 'few'],
    ['half are 20 times as long', (i) => (draws[i] > 0 ? 20 : 1)],
    ['half are a hundredth as long', (i) => (draws[i] > 0 ? 0.01 : 1)],
    ['half are zero', (i) => (draws[i] > 0 ? 0 : 1)],
    ['lengths go over six decades', (i) => 10 ** (3 * draws[i])],
    ['all are 1e-9 as long', () => 1e-9],
    ['all are 1e14 times as long', () => 1e14],
  ])('are found, and so are the others: %s', async (_, scale, few) => {
    const rows = scaledBy(scale);
    const index = await collection(rows);
    expect(await recallOf(index, rows)).toBeGreaterThan(0.95);
    // where most are longer, these are the candidates
    if (few)
      expect(await recallOf(index, rows, queries, (i) => scale(i) === 1)).toBeGreaterThan(0.93);
    await index.close();
  });

  test('are found by trained features', async () => {
    const rows = scaledBy((i) => (draws[i] > 0.98 ? 1000 : 1));
    const index = await collection(rows, { epochs: 3 });
    expect(await recallOf(index, rows)).toBeGreaterThan(0.95);
    expect(await recallOf(index, rows, queries, (i) => draws[i] <= 0.98)).toBeGreaterThan(0.93);
    await index.close();
  });

  test('are found where they were added after the fit, and after the collection was opened again', async () => {
    const storage = memoryStorage();
    const rows = scaledBy((i) => (i >= DOCUMENTS - 12 ? 1000 : 1));
    const index = await Index.create(storage, {
      dim: DIM,
      precision: 'float32',
      features: 'random',
      threads: 1,
    });
    await index.add(inputOf(rows.slice(0, 600)));
    await index.fit({ ...SMALL, epochs: 0 });
    await index.add(inputOf(rows.slice(600), 600));
    const found = await candidatesOf(index, queries);
    expect(await recallOf(index, rows)).toBeGreaterThan(0.95);
    expect(await recallOf(index, rows, queries, (i) => i < DOCUMENTS - 12)).toBeGreaterThan(0.93);
    await index.delete(['3', '601']);
    await index.compact();
    await index.close();
    const again = await Index.open(storage, { threads: 1 });
    const kept = await candidatesOf(again, queries);
    for (const [q, ids] of found.entries())
      expect(kept[q]).toEqual(
        expect.arrayContaining(ids.slice(0, 70).filter((id) => !['3', '601'].includes(id))),
      );
    await again.close();
  });
});

test('one document of 20,000 like tokens takes nothing from others', async () => {
  const noise = numbers(7);
  const long = Array.from({ length: 20_000 }, () =>
    noise.floats(DIM, 0.02).map((value, j) => value + documents[5][0][j]),
  );
  const rows = documents.map((tokens, i) => (i === 100 ? long : tokens));
  const index = await collection(rows, { precision: 'int8' });
  // what it scores, a sample of it says
  const seen = rows.map((tokens) => tokens.slice(0, 200));
  expect(await recallOf(index, seen, queries, (i) => i !== 100)).toBeGreaterThan(0.93);
  await index.close();
});

describe('queries', () => {
  test.each([0, 3])('of any length find the same documents after %d epochs', async (epochs) => {
    const index = await collection(documents, { epochs });
    const ids = await candidatesOf(index, queries);
    for (const factor of [1e-25, 1e-6, 1e-3, 1e3, 1e6, 9e14]) {
      const found = await candidatesOf(
        index,
        queries.map((tokens) => times(tokens, factor)),
      );
      // the last candidates may differ by what float32 rounds
      for (const [q, list] of found.entries())
        expect(new Set([...list, ...ids[q]]).size).toBeLessThan(CANDIDATES + 4);
    }
    await index.close();
  });

  test('whose tokens are of different lengths find what the formula finds', async () => {
    const index = await collection(documents);
    const uneven = queries.map((tokens) =>
      tokens.map((row, i) => row.map((value) => value * 30 ** (i - 2))),
    );
    expect(await recallOf(index, documents, uneven)).toBeGreaterThan(0.9);
    await index.close();
  });
});

describe('stats', () => {
  test('say of documents of other lengths how many there are and how long they are', async () => {
    const index = await collection(
      scaledBy((i) => (i === 5 ? 1000 : 1)),
      { late: 20 },
    );
    expect(index.stats()).toMatchObject({
      lengths: { typical: 1, other: 1 },
      refit: { due: false },
    });
    expect(index.stats().lengths?.largest).toBeCloseTo(1000, 0);
    expect(index.stats().refit.why).toContain('one has vectors of another length');
    await index.add(
      inputOf(
        documents.slice(0, 3).map((tokens) => times(tokens, 0.01)),
        DOCUMENTS,
      ),
    );
    expect(index.stats().lengths?.other).toBe(4);
    await index.close();
  });

  test('ask for a refit where most documents have become of another length', async () => {
    const index = await collection(documents.slice(0, 300));
    expect(index.stats().lengths).toEqual({ typical: 1, largest: 1, other: 0 });
    await index.add(
      inputOf(
        documents.slice(300).map((tokens) => times(tokens, 50)),
        300,
      ),
    );
    expect(index.stats().refit).toMatchObject({
      due: true,
      why: expect.stringContaining('50 times as long'),
    });
    await index.fit({ ...SMALL, epochs: 0 });
    expect(index.stats().lengths?.typical).toBeCloseTo(50, 3);
    expect(index.stats().refit.due).toBe(false);
    await index.close();
  });

  test('ask for a refit of a model of an earlier version where long documents hide others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lemur-outliers-'));
    cpSync(new URL('../fixtures/indexes/version-1/trained', import.meta.url), folder, {
      recursive: true,
    });
    const index = await Index.open(folder, { write: true, threads: 1 });
    expect(index.stats()).toMatchObject({ lengths: null, refit: { due: false } });
    await index.add({
      id: 'long',
      tokens: { data: new Float32Array(3 * index.dim).fill(1000), dims: [3, index.dim] },
    });
    expect(index.stats().refit).toMatchObject({
      due: true,
      why: expect.stringContaining('1 document has vectors many times as long'),
    });
    await index.close();
    rmSync(folder, { recursive: true });
  });

  test('say what a search finds that asks for nothing, as far as that is known', async () => {
    const index = await Index.create(memoryStorage(), {
      dim: DIM,
      precision: 'float32',
      features: 'random',
      threads: 1,
    });
    await index.add(inputOf(documents));
    expect(index.stats().search).toEqual({ numCandidates: null, recall: 1 });
    await index.fit({ ...SMALL, epochs: 0 });
    expect(index.stats().search).toEqual({ numCandidates: 200, recall: null });
    const { points } = await index.tune({ recall: 0.9, sample: 30 });
    const { numCandidates, recall } = index.stats().search;
    expect(numCandidates).toBeLessThan(200);
    expect(recall).toBeGreaterThanOrEqual(0.9);
    const found = await index.search([...queries[0]]);
    expect(found.how.candidates).toBe(numCandidates);
    expect(points.some(([, measured]) => measured >= (recall as number))).toBe(true);
    await index.close();
  });
});
