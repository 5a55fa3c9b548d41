import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Advice, type AdviseOptions, advise, plotAdvice } from '../../dist/entry/advise.js';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { documentsOf, matrixOf, randomOf } from '../collection/random-documents.js';
import { DIM, LEARN, rejection, threads } from '../collection/small-collection.js';
import { temporaryFolder } from '../temporary-folder.js';

const K = 10;
const COUNT = 700;
const folder = await temporaryFolder('advise');
const documents = documentsOf(COUNT, DIM);
const random = randomOf(5);
const queries = Array.from({ length: 8 }, () => matrixOf(4, DIM, random));

type Matrix = (typeof queries)[number];
const rowsOf = ({ data, dims: [rows] }: Matrix): Float32Array[] =>
  Array.from({ length: rows }, (_, i) => data.subarray(i * DIM, (i + 1) * DIM));
const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let j = 0; j < DIM; j++) sum += a[j] * b[j];
  return sum;
};
const maxSimOf = (query: Matrix, document: Matrix): number =>
  rowsOf(query).reduce(
    (sum, row) => sum + Math.max(...rowsOf(document).map((other) => dot(row, other))),
    0,
  );
/** Numbers of documents by a score, best first. */
const ranked = (score: (document: Matrix) => number): number[] => {
  const scores = documents.map(({ tokens }) => score(tokens));
  return documents.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
};
const meanOf = (matrix: Matrix): Float32Array => {
  const mean = new Float32Array(DIM);
  for (const row of rowsOf(matrix)) for (let j = 0; j < DIM; j++) mean[j] += row[j];
  const length = Math.hypot(...mean);
  return mean.map((value) => value / length);
};
const best = queries.map((query) => ranked((document) => maxSimOf(query, document)).slice(0, K));
/** Mean share of the best that are among some documents of each query. */
const recallOf = (found: readonly (readonly number[])[]): number =>
  found.reduce((sum, some, q) => sum + best[q].filter((i) => some.includes(i)).length / K, 0) /
  queries.length;

const rowOf = ({ rows }: Advice, name: string, candidates: number | null = null) => {
  const found = rows.filter((row) => row.name === name && row.numCandidates === candidates);
  expect(found.map((row) => row.name)).toEqual([name]);
  return found[0];
};

/** What lies in a folder, byte by byte, but the lock that a closed writer may be giving up. */
const bytesOf = async (path: string): Promise<string[]> => {
  const names = (await readdir(path)).filter((name) => name !== 'writer.lock').sort();
  const hashed = names.map(async (name) => {
    const hash = createHash('sha256').update(await readFile(join(path, name)));
    return `${name} ${hash.digest('hex')}`;
  });
  return Promise.all(hashed);
};

const fitted = join(folder, 'fitted');
const asked: AdviseOptions = { k: K, candidates: [20, 50], seed: 3 };
beforeAll(async () => {
  const made = { dim: DIM, precision: 'float32', features: 'trained', threads } as const;
  await using index = await Index.create(fitted, made);
  await index.add(documents);
  await index.fit({ ...LEARN, epochs: 2 });
});

describe('advise() on an index with trained features', () => {
  let advice: Advice;
  let before: string[];
  beforeAll(async () => {
    before = await bytesOf(fitted);
    await using index = await Index.open(fitted, { threads });
    // the first query has one relevant document, its best, the second its second best
    const judgements = queries.map((_, q) => {
      if (q > 1) return undefined;
      return new Map([[documents[best[q][q]].id, 1]]);
    });
    advice = await advise(index, queries, { ...asked, judgements });
  });

  test('leaves the folder as it was, to the byte', async () => {
    expect(await bytesOf(fitted)).toEqual(before);
  });

  test('begins with exact search, which finds all, and compares the encodings with it', () => {
    expect(advice.rows[0]).toMatchObject({ name: 'exact MaxSim, float32', recall: 1 });
    expect(advice.rows[0].tokenBytes).toBe(4 * DIM);
    const [int8, int4, int2] = ['int8', 'int4', 'int2'].map((name) =>
      rowOf(advice, `exact MaxSim, ${name}`),
    );
    expect(int8.recall).toBeGreaterThan(0.9);
    expect(int8.recall).toBeGreaterThanOrEqual(int4.recall);
    expect(int4.recall).toBeGreaterThan(int2.recall);
    expect(int8.tokenBytes).toBe(DIM);
  });

  test('has the recall of the index itself with as many candidates', async () => {
    await using index = await Index.open(fitted, { threads });
    for (const numCandidates of [20, 50]) {
      const found = await index.searchBatch(queries, { k: K, numCandidates });
      const numbers = found.map(({ hits }) => hits.map(({ id }) => Number(id.slice(1))));
      const row = rowOf(advice, "trained features (the index's)", numCandidates);
      expect(row.recall).toBeCloseTo(recallOf(numbers), 10);
    }
  });

  test('has the recall of pooled vectors that a loop over all of them finds', () => {
    const byMean = queries.map((query) => {
      const mean = meanOf(query);
      return ranked((document) => dot(mean, meanOf(document)));
    });
    const alone = rowOf(advice, 'one pooled vector alone');
    expect(alone.recall).toBeCloseTo(recallOf(byMean.map((some) => some.slice(0, K))), 10);
    for (const count of [20, 50]) {
      const { recall } = rowOf(advice, 'one pooled vector', count);
      expect(recall).toBeCloseTo(recallOf(byMean.map((some) => some.slice(0, count))), 10);
    }
  });

  test('finds more with more candidates, and more than chance, by every first stage', () => {
    const stages = ['random features', 'MUVERA, 2,560 values', 'MUVERA, 10,240 values'];
    for (const name of [...stages, "trained features (the index's)"]) {
      const [few, more] = [20, 50].map((count) => rowOf(advice, name, count).recall);
      expect(few).toBeGreaterThan((3 * 20) / COUNT);
      expect(more).toBeGreaterThanOrEqual(few);
    }
  });

  test('has the nDCG of the judged queries', () => {
    // found at rank 1 and at rank 2
    expect(advice.rows[0].ndcg).toBeCloseTo((1 + 1 / Math.log2(3)) / 2, 10);
    expect([advice.judged, advice.queries]).toEqual([2, 8]);
  });

  test('says what it is of, and gives one line and a plot', () => {
    expect(advice).toMatchObject({
      ...{ k: K, recall: 0.95, seed: 3, documents: COUNT, total: COUNT },
      ...{ dim: DIM, precision: 'float32' },
    });
    expect(advice.text).toMatch(/^(use (random|trained) features|stay with exact search)/);
    expect(advice.text).not.toContain('\n');
    expect(plotAdvice(advice)).toContain('>MUVERA, 2,560 values<');
    for (const { latency } of advice.rows) {
      expect(latency.median).toBeGreaterThan(0);
      expect(latency.p95).toBeGreaterThanOrEqual(latency.median);
    }
  });
});

describe('advise()', () => {
  const opened = (): Promise<Index> => Index.open(fitted, { threads });

  test('compares on a sample that its seed chooses, judged documents among it', async () => {
    await using index = await opened();
    const judgements = queries.map((_, q) => new Map([[documents[best[q][0]].id, 1]]));
    const sampled = { ...asked, candidates: [20], sample: 100, judgements };
    const first = await advise(index, queries, sampled);
    expect([first.documents, first.total]).toEqual([100, COUNT]);
    expect(first.rows[0]).toMatchObject({ recall: 1, ndcg: 1 });
    const facts = ({ rows }: Advice): unknown =>
      rows.map(({ name, recall, ndcg }) => ({ name, recall, ndcg }));
    expect(facts(await advise(index, queries, sampled))).toEqual(facts(first));
    // what the index has learned is of other documents
    expect(first.rows.map(({ name }) => name)).toContain('trained features');
  });

  test('measures so many of the queries as are asked for', async () => {
    await using index = await opened();
    const { queries: measured } = await advise(index, queries, { ...asked, mostQueries: 3 });
    expect(measured).toBe(3);
  });

  test('tries no fewer candidates than results', async () => {
    await using index = await opened();
    const one = { mostQueries: 1, k: 300 };
    const { rows } = await advise(index, queries, one);
    const tried = rows.filter(({ method }) => method === 'random');
    expect(tried.map(({ numCandidates }) => numCandidates)).toEqual([300, 400]);
  });

  test('works on few documents of any storage, without those that were deleted', async () => {
    const made = { dim: DIM, threads, features: 'exact' } as const;
    await using index = await Index.create(memoryStorage('few'), made);
    await index.add(documents.slice(0, 12));
    await index.delete(['a3', 'a4']);
    const { documents: count, rows, method, text } = await advise(index, queries);
    expect([count, method]).toEqual([10, 'exact']);
    expect(text).toContain('indexes score all of so few documents anyway');
    // no number of candidates is below that of the documents
    expect(rows.map(({ numCandidates }) => numCandidates)).toEqual(rows.map(() => null));
    expect(rows[0].recall).toBe(1);
  });

  test('ends with the reason of its signal, whenever that comes', async () => {
    await using index = await opened();
    for (const stage of ['read', 'muvera', 'measure']) {
      const abort = new AbortController();
      const onProgress = (progress: { stage: string }): void => {
        if (progress.stage === stage) abort.abort(new Error(`at ${stage}`));
      };
      const given = { ...asked, candidates: [20], onProgress, signal: abort.signal };
      const { message } = await rejection(advise(index, queries, given));
      expect(message).toBe(`at ${stage}`);
    }
    // and the index goes on
    expect((await index.search(queries[0], { k: 1 })).hits).toHaveLength(1);
  });

  test.each([
    [{ k: 0 }, 'invalid-argument', 'k: expected an integer from 1'],
    [{ candidates: [5] }, 'invalid-argument', 'candidates: expected integers of at least k, 10'],
    [{ candidates: 50 }, 'invalid-argument', 'candidates: expected an array'],
    [{ recall: 2 }, 'invalid-argument', 'recall: expected a number above 0'],
    [{ sample: 0 }, 'invalid-argument', 'sample: expected'],
    [{ judgements: [] }, 'invalid-argument', 'undefined for each of the 8 queries, got 0 values'],
    [{ nprobe: 3 }, 'invalid-argument', 'nprobe'],
  ])('refuses %j', async (options, code, message) => {
    await using index = await opened();
    const error = await rejection(advise(index, queries, options as AdviseOptions));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('refuses queries that do not fit, texts without encoder, and what is no index', async () => {
    await using index = await opened();
    const wide = [matrixOf(2, DIM + 1, random)];
    expect((await rejection(advise(index, wide))).code).toBe('dimension-mismatch');
    expect((await rejection(advise(index, []))).code).toBe('empty-corpus');
    const { message } = await rejection(advise(index, ['a text']));
    expect(message).toContain('this index has no encoder');
    const other = {} as Index;
    expect((await rejection(advise(other, queries))).message).toContain('expected an Index');
    await using none = await Index.create(memoryStorage('none'), { dim: DIM, threads });
    expect(await rejection(advise(none, queries))).toMatchObject({
      code: 'empty-corpus',
      message: 'advise: the index has no documents, expected at least one',
    });
  });
});

describe('advise() with texts', () => {
  test('compares keywords and hybrid search, by the ids that judgements have', async () => {
    const { wordEncoder } = await import('../collection/passage-encoder.js');
    const made = { encoder: wordEncoder(), threads, passages: { size: 8 } } as const;
    const storage = memoryStorage('words');
    await using index = await Index.create(storage, { ...made, features: 'random' });
    await index.add([
      { id: 'code', text: 'It fails with ERR_MODULE_NOT_FOUND at once. A red owl flies. A bee.' },
      { id: 'moon', text: 'A green bee. A red owl, a red owl, a green owl.' },
      { id: 'fly', text: 'A fly, green and red, a fly, a fly. A bee flies!' },
    ]);
    // what is learned for the comparison is of the same sizes
    await index.fit(LEARN);
    const judgements = [new Map([['code', 1]]), new Map([['fly', 1]])];
    const asked = { k: 2, candidates: [3], judgements };
    const { rows } = await advise(index, ['ERR_MODULE_NOT_FOUND', 'the fly'], asked);
    const names = rows.map(({ method }) => method);
    expect(names).toEqual(expect.arrayContaining(['keywords', 'hybrid']));
    const [keywords] = rows.filter(({ method }) => method === 'keywords');
    expect(keywords).toMatchObject({ name: 'keywords (BM25)', ndcg: 1, tokenBytes: null });
    expect(rows[0].recall).toBe(1);
  });
});
