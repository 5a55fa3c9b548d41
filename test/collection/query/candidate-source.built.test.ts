import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CandidateRequest,
  type CandidateSource,
  type Filter,
  Index,
  type Metadata,
  maxSim,
  memoryStorage,
} from '../../../dist/entry/node.js';
import { documentsOf, matrixOf, randomOf } from '../random-documents.js';

const [DIM, COUNT] = [8, 700];
const documents = documentsOf(COUNT, DIM);
const byId = new Map(documents.map((document) => [document.id, document]));
const DELETED = 'a7';
const query = matrixOf(4, DIM, randomOf(9));
const english = { lang: 'en' };

let index: Index;
beforeAll(async () => {
  index = await Index.create(memoryStorage(), {
    dim: DIM,
    precision: 'float32',
    features: 'random',
    threads: 2,
  });
  await index.add(documents);
  await index.fit({ olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 });
  await index.delete(DELETED);
});
afterAll(() => index.close());

/** A source that answers the same for every query, and keeps what it was asked. */
function sourceOf(
  answer: readonly unknown[] | ((request: CandidateRequest<Filter>) => readonly unknown[]),
): CandidateSource<Filter> & { asked: { k: number; request: CandidateRequest<Filter> }[] } {
  const asked: { k: number; request: CandidateRequest<Filter> }[] = [];
  return {
    name: 'test',
    asked,
    async candidates({ tokens }, k, request) {
      asked.push({ k, request });
      const list = typeof answer === 'function' ? answer(request) : answer;
      return Array.from(tokens.counts, () => list as string[]);
    },
  };
}

/** Ids of these documents by the formula, best first. */
const bestOf = (ids: readonly string[], k: number): string[] =>
  ids
    .map((id) => ({ id, score: maxSim(query, byId.get(id)?.tokens as typeof query) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k)
    .map(({ id }) => id);

const someIds = Array.from({ length: 60 }, (_, i) => `a${(i * 37) % COUNT}`).filter(
  (id) => id !== DELETED,
);
const isEnglish = (id: string): boolean => byId.get(id)?.metadata?.lang === 'en';

describe('a source of candidates', () => {
  test('that answers ids has exactly these scored', async () => {
    const { hits, how } = await index.search(query, { k: 5, candidates: sourceOf(someIds) });
    expect(hits.map(({ id }) => id)).toEqual(bestOf(someIds, 5));
    for (const { id, score } of hits)
      expect(score).toBeCloseTo(maxSim(query, byId.get(id)?.tokens as typeof query), 4);
    expect(how).toEqual({
      method: 'source',
      source: 'test',
      candidates: 60,
      passing: COUNT - 1,
      documents: COUNT - 1,
    });
  });

  test('that answers numbers has the documents of these numbers scored', async () => {
    const rows = Int32Array.from(someIds, (id) => Number(id.slice(1)));
    const k = rows.length;
    const library: CandidateSource = {
      name: 'ann',
      candidates: async () => ({ indices: rows, k }),
    };
    const { hits } = await index.search(query, { k: 5, candidates: library });
    expect(hits.map(({ id }) => id)).toEqual(bestOf(someIds, 5));
  });

  test('that applies the filter itself and answers deleted, unknown and repeated ids', async () => {
    const engine = sourceOf(({ filter }) => [
      DELETED,
      'nobody',
      ...someIds.filter((id) => byId.get(id)?.metadata?.lang === (filter as Metadata).lang),
      ...someIds.filter(isEnglish),
      -1,
      COUNT + 5,
    ]);
    const { hits, how } = await index.search(query, { k: 5, filter: english, candidates: engine });
    const expected = someIds.filter(isEnglish);
    expect(hits.map(({ id }) => id)).toEqual(bestOf(expected, 5));
    expect(how.candidates).toBe(expected.length);
    expect(engine.asked[0].request.filter).toEqual(english);
  });

  test('that leaves the filter to the search', async () => {
    const { hits, how } = await index.search(query, {
      k: 50,
      filter: english,
      candidates: sourceOf([...someIds, DELETED]),
    });
    expect(hits.map(({ id }) => id)).toEqual(bestOf(someIds.filter(isEnglish), 50));
    expect(how.passing).toBe(documents.filter(({ id }) => isEnglish(id) && id !== DELETED).length);
  });

  test('is told which documents are allowed, by id, number and mask', async () => {
    const source = sourceOf(({ allowed }) => {
      const mask = allowed.mask();
      expect(allowed.documents).toBe(COUNT);
      expect(allowed.rows()).toHaveLength(allowed.count);
      for (const [row, { id }] of documents.entries()) {
        const expected = isEnglish(id) && id !== DELETED;
        expect(allowed.has(id)).toBe(expected);
        expect(allowed.has(row)).toBe(expected);
        expect(mask?.[row]).toBe(Number(expected));
        expect(allowed.find(id)).toBe(expected ? row : -1);
      }
      mask?.fill(1);
      return documents.map(({ id }) => id);
    });
    const options = { k: 5, filter: english, numCandidates: COUNT, candidates: source };
    const { hits } = await index.search(query, options);
    const exact = await index.search(query, { k: 5, filter: english, exact: true });
    expect(hits).toEqual(exact.hits);
  });

  test('that answers more than it is asked for: the first allowed ones count', async () => {
    const source = sourceOf([DELETED, ...someIds]);
    const options = { k: 5, numCandidates: 10, candidates: source };
    const { hits, how } = await index.search(query, options);
    expect(source.asked[0].k).toBe(10);
    expect(hits.map(({ id }) => id)).toEqual(bestOf(someIds.slice(0, 10), 5));
    expect(how.candidates).toBe(10);
  });

  test('that finds nothing', async () => {
    const { hits, how } = await index.search(query, { candidates: sourceOf([]) });
    expect(hits).toEqual([]);
    expect(how.candidates).toBe(0);
  });

  test('gets the features of all queries, and their vectors', async () => {
    const queries = [query, matrixOf(2, DIM, randomOf(10))];
    const source: CandidateSource = {
      name: 'features',
      async candidates({ tokens, text, features }, k) {
        const values = await features();
        expect(values).toHaveLength(16 * queries.length);
        expect(await features()).toBe(values);
        expect(values.some((value) => value !== 0)).toBe(true);
        expect([...tokens.counts]).toEqual([4, 2]);
        expect(text).toBeUndefined();
        return Array.from(tokens.counts, (_, q) => [`a${q}`, `a${k}`]);
      },
    };
    const found = await index.searchBatch(queries, { k: 3, candidates: source });
    expect(found.map(({ hits }) => hits.map(({ id }) => id).sort())).toEqual([
      ['a0', 'a200'],
      ['a1', 'a200'],
    ]);
  });

  test('gets the texts of queries that came as texts', async () => {
    const texts: unknown[] = [];
    const source: CandidateSource = {
      name: 'keywords',
      async candidates({ text }) {
        texts.push(text);
        return (text ?? []).map((words) => [words]);
      },
    };
    const encode = async (all: readonly string[]) => ({
      vectors: new Float32Array(all.length * DIM).fill(0.5),
      counts: new Int32Array(all.length).fill(1),
      offsets: Float64Array.from({ length: all.length + 1 }, (_, i) => i),
      dim: DIM,
    });
    const encoder = {
      ...{ id: 'half', dim: DIM, encodeQuery: encode, encodeDocument: encode },
      close: async () => {},
    };
    const other = await Index.create(memoryStorage(), { encoder, threads: 1 });
    await other.add(['x', 'y'].map((id) => ({ id, text: id })));
    const found = await other.searchBatch(['y', 'x'], { candidates: source });
    expect(texts).toEqual([['y', 'x']]);
    expect(found.map(({ hits }) => hits.map(({ id }) => id))).toEqual([['y'], ['x']]);
    await other.close();
  });

  test('that hangs is left when the signal aborts, with its reason', async () => {
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const hanging: CandidateSource = {
      name: 'hanging',
      candidates: (_queries, _k, { signal }) => {
        seen = signal;
        controller.abort(new Error('enough'));
        return new Promise(() => {});
      },
    };
    const search = index.search(query, { candidates: hanging, signal: controller.signal });
    await expect(search).rejects.toThrow('enough');
    expect(seen?.aborted).toBe(true);
  });

  test('that hangs does not keep a collection from closing', async () => {
    const other = await Index.create(memoryStorage(), { dim: DIM, threads: 1 });
    await other.add(documents.slice(0, 3));
    let asked: () => void = () => {};
    const reached = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const hanging: CandidateSource = {
      name: 'hanging',
      candidates: () => {
        asked();
        return new Promise(() => {});
      },
    };
    const search = other.search(query, { candidates: hanging });
    search.catch(() => {});
    await reached;
    await other.close();
    await expect(search).rejects.toMatchObject({ code: 'closed' });
  });

  test.each([
    [
      'throws',
      () => {
        throw new RangeError('no such shard');
      },
    ],
    ['rejects', async () => Promise.reject(new RangeError('no such shard'))],
    [
      'answers what throws when it is read',
      async () => ({
        k: 1,
        get indices() {
          throw new RangeError('no such shard');
        },
      }),
    ],
  ])('that %s has the search reject with its error as the cause', async (_how, candidates) => {
    const failing = { name: 'engine', candidates } as unknown as CandidateSource;
    await expect(index.search(query, { candidates: failing })).rejects.toMatchObject({
      code: 'source-failed',
      message: 'candidates: the source engine failed: no such shard',
      cause: new RangeError('no such shard'),
    });
  });

  test.each([
    [undefined, 'candidates: expected { indices, k } or an array of lists, got undefined'],
    [['a1'], 'candidates[0]: expected an array of ids or document numbers, got the string "a1"'],
    [[['a1'], ['a2']], 'candidates: lists for 2 queries, expected 1'],
    [[['a1', 0.5]], 'candidates[0][1]: expected an id or a document number, got 0.5'],
    [[[{ id: 'a1' }]], 'candidates[0][0]: expected an id or a document number, got an object'],
    [
      [new BigInt64Array(2)],
      'candidates[0]: expected an array of ids or document numbers, got a BigInt64Array',
    ],
  ])('whose answer is %o is refused by what was got', async (answer, message) => {
    const source = { name: 'wrong', candidates: async () => answer } as unknown as CandidateSource;
    await expect(index.search(query, { candidates: source })).rejects.toMatchObject({
      code: 'invalid-argument',
      message,
    });
  });

  test('has a name and a method, and goes with neither exact nor recall', async () => {
    const source = sourceOf(someIds);
    for (const [options, message] of [
      [
        { candidates: someIds },
        'candidates: expected a source, with a name and the method candidates, got an array',
      ],
      [
        { candidates: { candidates: () => [] } },
        'candidates: expected a source, with a name and the method candidates, got name: undefined',
      ],
      [
        { candidates: source, exact: true },
        'candidates: expected either candidates or exact, got both',
      ],
      [
        { candidates: source, recall: 0.9 },
        'recall: expected numCandidates with a source of candidates',
      ],
      [
        { candidates: source, numCandidates: 5 },
        'numCandidates: expected an integer of at least k, 10, got 5',
      ],
    ] as const)
      await expect(index.search(query, options as object)).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining(message),
      });
    expect(source.asked).toEqual([]);
  });

  test('without a model has no features to give', async () => {
    const plain = await Index.create(memoryStorage(), { dim: DIM, threads: 1 });
    await plain.add(documents.slice(0, 3));
    const source: CandidateSource = {
      name: 'features',
      candidates: async ({ features }) => [await features()],
    };
    await expect(plain.search(query, { candidates: source })).rejects.toMatchObject({
      code: 'source-failed',
      cause: expect.objectContaining({ code: 'unsupported' }),
    });
    await plain.close();
  });
});
