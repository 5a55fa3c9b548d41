import { expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { documentsOf, matrixOf, randomOf } from './random-documents.js';
import { DIM, LEARN, query, rejection, threads } from './small-collection.js';

test('searches under way finish when the index is closed, and later ones are refused', async () => {
  const index = await Index.create(memoryStorage(), { dim: DIM, threads });
  await index.add(documentsOf(200, DIM));
  const searches = Array.from({ length: 50 }, () => index.search(query, { k: 3 }));
  await index.close();
  const answers = await Promise.all(searches);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(await rejection(index.search(query))).toMatchObject({ code: 'closed' });
});

test('200 searches at once, some of them cut short, give what each gives alone, while documents are added and the model is fitted anew', async () => {
  await using index = await Index.create(memoryStorage(), {
    dim: DIM,
    features: 'random',
    threads: 2,
  });
  await index.add(documentsOf(1300, DIM, 3));
  await index.fit(LEARN);
  const random = randomOf(9);
  const queries = Array.from({ length: 200 }, () => matrixOf(3, DIM, random));
  const options = { k: 5, numCandidates: 200, filter: { number: { $lt: 1300 } } };
  const alone = [];
  for (const asked of queries) alone.push((await index.search(asked, options)).hits);
  const stop = new AbortController();
  const searches = queries.map((asked, i) =>
    index.search(asked, { ...options, signal: i % 10 === 9 ? stop.signal : undefined }),
  );
  const changes = [
    index.add(documentsOf(300, DIM, 4, 'b').map(({ metadata: _, ...rest }) => rest)),
    index.fit({ ...LEARN, seed: 1 }),
  ];
  stop.abort(new Error('enough'));
  const answers = await Promise.allSettled(searches);
  await Promise.all(changes);
  for (const [i, answer] of answers.entries()) {
    if (i % 10 === 9)
      expect(answer).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    else expect(answer).toMatchObject({ status: 'fulfilled', value: { hits: alone[i] } });
  }
});

test('an aborted add or fit leaves the state before it', async () => {
  await using index = await Index.create(memoryStorage(), {
    dim: DIM,
    features: 'random',
    threads,
  });
  await index.add(documentsOf(100, DIM));
  const stop = new AbortController();
  const adding = index.add(documentsOf(3000, DIM, 2, 'b'), { signal: stop.signal });
  stop.abort(new Error('enough'));
  expect((await rejection(adding)).message).toBe('enough');
  expect(index.size).toBe(100);
  const fitting = index.fit({ ...LEARN, signal: AbortSignal.timeout(1) });
  expect((await rejection(fitting)).message).toMatch(/time/i);
  expect(index.stats().features).toBe('exact');
  await index.fit(LEARN);
  expect(index.stats().features).toBe('random');
});
