import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Encoder,
  folderStorage,
  Index,
  type IndexDocument,
  memoryStorage,
  type TokenSets,
} from '../../dist/entry/node.js';
import { documentsOf, matrixOf, randomOf } from './random-documents.js';
import { DIM, LEARN, query, rejection, threads } from './small-collection.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lemur-collection-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** MaxSim by its formula. */
function maxSimOf(q: Float32Array, d: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < q.length; i += DIM) {
    let best = -Infinity;
    for (let j = 0; j < d.length; j += DIM) {
      let product = 0;
      for (let c = 0; c < DIM; c++) product += q[i + c] * d[j + c];
      best = Math.max(best, product);
    }
    sum += best;
  }
  return sum;
}

function bestOf(
  documents: ReturnType<typeof documentsOf>,
  k: number,
): { id: string; score: number }[] {
  return documents
    .map(({ id, tokens }) => ({ id, score: maxSimOf(query.data, tokens.data) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
}

/** A text's letters as token vectors, with their places. */
const letters: Encoder = {
  id: 'letters',
  dim: DIM,
  async encodeDocument(texts) {
    const rows = texts.map((text) =>
      [...text].map((letter) =>
        Float32Array.from({ length: DIM }, (_, c) => (letter.charCodeAt(0) % DIM === c ? 1 : 0)),
      ),
    );
    const counts = Int32Array.from(rows, ({ length }) => length);
    const offsets = Float64Array.from(
      [0, ...counts].map(
        (
          (sum) => (n) =>
            (sum += n)
        )(0),
      ),
    );
    const vectors = Float32Array.from(rows.flat().flatMap((row) => [...row]));
    const spans = Int32Array.from(texts.flatMap((text) => [...text].flatMap((_, i) => [i, i + 1])));
    return { vectors, counts, offsets, dim: DIM, spans } satisfies TokenSets & {
      spans: Int32Array;
    };
  },
  encodeQuery(texts) {
    return letters.encodeDocument(texts);
  },
  async close() {},
};

describe.each(['memory', 'folder'] as const)('in %s', (kind) => {
  const place = (name: string) =>
    kind === 'memory' ? memoryStorage(name) : folderStorage(join(folder, name));

  test('a search gives what MaxSim of all documents gives', async () => {
    const documents = documentsOf(120, DIM);
    await using index = await Index.create(place('exact'), {
      dim: DIM,
      precision: 'float32',
      threads,
    });
    expect(await index.add(documents)).toEqual({ added: 120, replaced: 0, skipped: 0 });
    const { hits, how } = await index.search(query, { k: 7 });
    const best = bestOf(documents, 7);
    expect(hits.map(({ id }) => id)).toEqual(best.map(({ id }) => id));
    for (const [i, { score }] of best.entries()) expect(hits[i].score).toBeCloseTo(score, 4);
    expect(how).toEqual({ method: 'exact', candidates: 120, passing: 120, documents: 120 });
    expect(hits[0].text).toBe(`text of ${hits[0].id}`);
  });

  test('many queries at once get what each gets alone, ties and filters included', async () => {
    const documents = documentsOf(90, DIM);
    await using index = await Index.create(place('batch'), { dim: DIM, threads });
    await index.add([
      ...documents,
      ...documents.slice(0, 30).map((document) => ({ ...document, id: `again ${document.id}` })),
    ]);
    await index.delete(['a4', 'a50']);
    const random = randomOf(31);
    const queries = Array.from({ length: 9 }, () => matrixOf(3, DIM, random));
    for (const filter of [undefined, { lang: 'en' }, { number: { $lt: 8 } }]) {
      const alone = [];
      for (const asked of queries) alone.push(await index.search(asked, { k: 12, filter }));
      expect(await index.searchBatch(queries, { k: 12, filter })).toEqual(alone);
    }
  });

  test('what gives documents one by one may use its array again', async () => {
    const documents = documentsOf(20, DIM).map((document) => ({
      ...document,
      tokens: matrixOf(3, DIM, randomOf(document.metadata?.number as number)),
    }));
    const data = new Float32Array(3 * DIM);
    function* reusing() {
      for (const { id, tokens } of documents) {
        data.set(tokens.data);
        yield { id, tokens: { data, dims: tokens.dims } };
      }
    }
    await using index = await Index.create(place('reused'), {
      dim: DIM,
      precision: 'float32',
      threads,
    });
    await index.add(reusing());
    expect((await index.search(query, { k: 5 })).hits.map(({ id }) => id)).toEqual(
      bestOf(documents, 5).map(({ id }) => id),
    );
  });

  test('with a model the best documents are found among the candidates, with a filter and without', async () => {
    const documents = documentsOf(1300, DIM, 3);
    await using index = await Index.create(place('features'), {
      dim: DIM,
      precision: 'float32',
      features: 'random',
      threads,
    });
    await index.add(documents);
    await index.fit(LEARN);
    const all = await index.search(query, { k: 10, numCandidates: 400 });
    expect(all.how).toEqual({
      method: 'features',
      candidates: 400,
      passing: 1300,
      documents: 1300,
    });
    const found = new Set(all.hits.map(({ id }) => id));
    expect(bestOf(documents, 10).filter(({ id }) => found.has(id)).length).toBeGreaterThanOrEqual(
      9,
    );
    const german = documents.filter((_, i) => i % 2 === 1);
    const masked = await index.search(query, { k: 10, numCandidates: 260, filter: { lang: 'de' } });
    expect(masked.how).toMatchObject({ method: 'features', passing: 650 });
    expect(masked.hits.every(({ metadata }) => metadata?.lang === 'de')).toBe(true);
    const best = new Set(bestOf(german, 10).map(({ id }) => id));
    expect(masked.hits.filter(({ id }) => best.has(id)).length).toBeGreaterThanOrEqual(9);
    const few = await index.search(query, { k: 3, filter: { number: { $lt: 40 } } });
    expect(few.how).toMatchObject({ method: 'exact', passing: 40 });
    expect(few.hits.map(({ id }) => id)).toEqual(
      bestOf(documents.slice(0, 40), 3).map(({ id }) => id),
    );
    const curve = await index.tune({ recall: 0.9, sample: 40 });
    expect(curve.points.at(-1)?.[1]).toBeGreaterThan(0.9);
    expect((await index.search(query, { recall: 0.9 })).how.candidates).toBe(curve.numCandidates);
  });

  test('a deleted document is not found, and its id may come back with another text', async () => {
    const documents = documentsOf(30, DIM);
    await using index = await Index.create(place('delete'), { dim: DIM, threads });
    await index.add(documents);
    const [first] = (await index.search(query, { k: 1 })).hits;
    expect(await index.delete([first.id, 'nobody'])).toBe(1);
    expect((await index.search(query, { k: 30 })).hits.map(({ id }) => id)).not.toContain(first.id);
    expect(await index.get(first.id)).toBeUndefined();
    await index.add({ id: first.id, text: 'again', tokens: query });
    expect((await index.search(query, { k: 1 })).hits[0]).toMatchObject({
      id: first.id,
      text: 'again',
    });
    expect(await index.delete({ filter: { lang: 'de' } })).toBeGreaterThan(10);
    await index.compact();
    expect(index.stats().deleted).toBe(0);
    expect(await index.get(['a0', 'a1', first.id])).toMatchObject([
      { id: 'a0' },
      undefined,
      { text: 'again' },
    ]);
  });

  test('many single adds leave few segments, and answer as one large add does', async () => {
    const documents = documentsOf(150, DIM);
    await using one = await Index.create(place('bulk'), {
      dim: DIM,
      precision: 'float32',
      threads,
    });
    await one.add(documents);
    await using many = await Index.create(place('single'), {
      dim: DIM,
      precision: 'float32',
      threads,
    });
    for (const document of documents) await many.add(document);
    expect(many.stats().segments).toBeLessThan(22);
    expect(await many.search(query)).toEqual(await one.search(query));
    expect((await many.verify()).problems).toEqual([]);
  });

  test('a reader keeps its state until it is refreshed', async () => {
    const at = place('reader');
    await using writer = await Index.create(at, { dim: DIM, threads });
    await writer.add(documentsOf(20, DIM));
    await using reader = await Index.open(at, { threads });
    await writer.delete('a3');
    await writer.compact();
    expect((await reader.get('a3'))?.id).toBe('a3');
    expect((await reader.search(query, { k: 20 })).hits).toHaveLength(20);
    expect(await reader.refresh()).toBe(true);
    expect(await reader.get('a3')).toBeUndefined();
    expect(await reader.refresh()).toBe(false);
    expect(await rejection(reader.add(documentsOf(1, DIM)))).toMatchObject({ code: 'read-only' });
    expect(await rejection(Index.open(at, { write: true }))).toMatchObject({ code: 'locked' });
  });
});

test('texts go through the encoder, and evidence says which letters matched', async () => {
  await using index = await Index.create(memoryStorage(), {
    encoder: letters,
    precision: 'float32',
    threads,
  });
  await index.add([
    { id: 'x', text: 'owls' },
    { id: 'y', text: 'bees' },
  ]);
  const { hits } = await index.search('so', { k: 1, include: ['text', 'evidence'] });
  expect(hits[0].id).toBe('x');
  expect(hits[0].evidence?.map(({ span, querySpan }) => [span, querySpan])).toEqual([
    [
      [3, 4],
      [0, 1],
    ],
    [
      [0, 1],
      [1, 2],
    ],
  ]);
  expect(hits[0].evidence?.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(
    hits[0].score,
    5,
  );
  const again = await index.rerank('be', ['x', 'y', 'nobody']);
  expect(again.hits.map(({ id }) => id)).toEqual(['y', 'x']);
});

test('what is wrong with documents is said before anything is written', async () => {
  await using index = await Index.create(memoryStorage(), { dim: DIM, threads });
  const good = documentsOf(2, DIM);
  const refuse = async (document: unknown, code: string, words: string): Promise<void> => {
    const error = await rejection(index.add([...good, document as IndexDocument]));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(words);
    expect(index.size).toBe(0);
  };
  await refuse({ id: 'a0', tokens: good[0].tokens }, 'duplicate-id', 'comes twice');
  await refuse(
    { id: 'x', tokens: { data: new Float32Array(8), dims: [1, 8] } },
    'dimension-mismatch',
    '8 dimensions, expected 16',
  );
  await refuse(
    { id: 'x', tokens: { data: new Float32Array(DIM).fill(Number.NaN), dims: [1, DIM] } },
    'not-finite',
    '"x"',
  );
  await refuse(
    { id: 'x', tokens: { data: new Float32Array(0), dims: [0, DIM] } },
    'empty-document',
    'no token vectors',
  );
  await refuse({ id: '', tokens: good[0].tokens }, 'invalid-argument', 'not empty');
  await refuse({ id: 'x', text: 'no encoder here' }, 'invalid-argument', 'no encoder');
  await refuse(
    { id: 'x', tokens: good[0].tokens, metadata: { date: new Date() } },
    'invalid-argument',
    'date',
  );
  await index.add(good);
  expect(await rejection(index.add(good))).toMatchObject({ code: 'duplicate-id' });
  expect(await index.add(good, { onExisting: 'skip' })).toEqual({
    added: 0,
    replaced: 0,
    skipped: 2,
  });
  expect(await index.add([...good, ...good], { onExisting: 'replace' })).toMatchObject({
    replaced: 4,
  });
  expect(index.size).toBe(2);
  expect(await rejection(index.search(query, { k: -1 }))).toMatchObject({
    code: 'invalid-argument',
  });
  expect(await rejection(index.search(query, { k: 10, numCandidates: 5 }))).toMatchObject({
    code: 'invalid-argument',
  });
});

test('places that hold nothing, something else, or another encoder’s vectors are refused', async () => {
  expect(await rejection(Index.open(join(folder, 'nothing')))).toMatchObject({ code: 'not-found' });
  const at = memoryStorage();
  await (await Index.create(at, { encoder: letters })).close();
  expect(await rejection(Index.create(at, { dim: DIM }))).toMatchObject({ code: 'already-exists' });
  const error = await rejection(Index.open(at, { encoder: { ...letters, id: 'others' } }));
  expect(error).toMatchObject({ code: 'encoder-mismatch' });
  expect(error.message).toContain('letters');
  expect(error.message).toContain('others');
});
