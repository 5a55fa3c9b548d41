import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { Index, memoryStorage } from '../../../dist/entry/node.js';
import { documentsOf } from '../random-documents.js';

test('more hits than a call may give are refused with the bound, before anything is computed', async () => {
  const index = await Index.create(memoryStorage(), { dim: 1, threads: 1 });
  await index.add(Array.from({ length: 3000 }, (_, i) => ({ id: `a${i}`, tokens: [[i]] })));
  const vectors = new Float32Array(6000).fill(1);
  const queries = { vectors, counts: new Int32Array(6000).fill(1), dim: 1 };
  await expect(index.searchBatch(queries, { k: 3000 })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining(
      '6000 queries with 3000 hits each, expected at most 16777216 hits in one call',
    ),
  });
  await index.close();
});

test('queries that are computed in parts get what each gets alone', async () => {
  const index = await Index.create(memoryStorage(), { dim: 8, features: 'random', threads: 1 });
  const documents = documentsOf(1100, 8);
  await index.add(documents);
  await index.fit({
    olsSampleSize: 64,
    finalHiddenDim: 16,
    prefixDim: 8,
    trainSubsetSize: 16,
    epochs: 0,
  });
  const queries = documents.slice(0, 40).map(({ tokens }) => tokens);
  // candidates of few queries fill one part
  const options = { k: 5, numCandidates: 500 };
  const together = await index.searchBatch(
    [...queries, ...new Array(2100).fill(queries[0])],
    options,
  );
  expect(together).toHaveLength(2140);
  expect(together[0].how.method).toBe('features');
  for (const [i, query] of queries.entries())
    if (i % 13 === 0) expect(together[i]).toEqual(await index.search(query, options));
  for (const last of together.slice(40)) expect(last.hits).toEqual(together[0].hits);
  await index.close();
});

test('one signal for many calls at once has one listener, and no warning comes of it', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const index = await Index.create(memoryStorage(), { dim: 8, threads: 1 });
  const documents = documentsOf(50, 8);
  const { signal } = new AbortController();
  const calls: Promise<unknown>[] = documents.map((document) => index.add(document, { signal }));
  for (const { tokens } of documents)
    calls.push(index.search(tokens, { signal }), index.verify({ signal }));
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  await Promise.all(calls);
  await index.close();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
