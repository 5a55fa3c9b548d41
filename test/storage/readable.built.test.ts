import { expect, test } from 'vitest';
import { Index, memoryStorage, type ReadableStorage } from '../../dist/entry/node.js';

/** What can be read of a storage, and nothing else. */
function readableOf({ name, read, open }: ReadableStorage): ReadableStorage {
  return { name, read, open };
}

const memory = memoryStorage('here');
const made = await Index.create(memory, { dim: 2, threads: 1 });
await made.add({ id: 'a', tokens: [[1, 0]], text: 'one' });
await made.close();

test('a collection opens from what can only be read', async () => {
  const index = await Index.open(readableOf(memory), { threads: 1 });
  expect((await index.search([[1, 0]])).hits.map(({ id }) => id)).toEqual(['a']);
  expect((await index.verify()).problems).toEqual([]);
  await expect(index.add({ id: 'b', tokens: [[0, 1]] })).rejects.toMatchObject({
    code: 'read-only',
  });
  await index.close();
});

test('it is not opened for writing', async () => {
  await expect(Index.open(readableOf(memory), { write: true })).rejects.toMatchObject({
    code: 'read-only',
    message: expect.stringMatching(/^here: it cannot be written: .*lock\(\)/),
  });
});

test('nothing is made in it, and that nothing is there is said', async () => {
  const empty = readableOf(memoryStorage('void'));
  await expect(Index.create(empty as never, { dim: 2 })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('an object without write()'),
  });
  for (const write of [false, true])
    await expect(Index.open(empty, { write })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/^void: no collection here/),
    });
});
