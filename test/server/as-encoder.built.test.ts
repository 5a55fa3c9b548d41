import { expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { remoteEncoder } from '../../dist/entry/node-encoder.js';
import { wordEncoder } from '../collection/passage-encoder.js';
import { DOCUMENTS, smallServer } from './small-server.js';

const { url, index } = await smallServer({ apiKey: 'key' });
const texts = ['do statins lower cholesterol?', 'bees'];

test.each(['jina', 'vllm'] as const)(
  'a server encodes for others in the form %s',
  async (style) => {
    const encoder = await remoteEncoder({ url, style, model: 'papers', apiKey: 'key' });
    const [got, expected] = [
      await encoder.encodeDocument(texts),
      wordEncoder().encodeDocument(texts),
    ];
    const { vectors, counts, dim } = await expected;
    expect([encoder.dim, got.dim]).toEqual([dim, dim]);
    expect(Array.from(got.counts)).toEqual(Array.from(counts));
    expect(Array.from(got.vectors)).toEqual(Array.from(vectors));
  },
);

test('an index whose texts a service encodes answers as one that encodes itself', async () => {
  const storage = memoryStorage();
  const service = { url, style: 'jina', model: 'papers', apiKey: 'key' } as const;
  const encoder = await remoteEncoder(service);
  const remote = await Index.create(storage, { encoder, threads: 1 });
  await remote.add(DOCUMENTS);
  const { hits } = await remote.search(texts[0]);
  const expected = await index.search(texts[0]);
  expect(hits.map(({ id, score }) => [id, score])).toEqual(
    expected.hits.map(({ id, score }) => [id, score]),
  );
  await remote.close();
  const other = await remoteEncoder({ ...service, model: 'others' });
  await expect(Index.open(storage, { encoder: other })).rejects.toMatchObject({
    code: 'encoder-mismatch',
  });
});
