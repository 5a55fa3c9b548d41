import { describe, expect, test } from 'vitest';
import { type Encoder, Index, memoryStorage } from '../../../dist/entry/node.js';
import { asking, BASE, DIM, HANG, LEARN, outcomeOf, QUERY } from './hangs.js';

const hangingEncoder = (hang: () => Promise<never>): Encoder => ({
  id: 'hanging',
  dim: DIM,
  encodeQuery: hang,
  encodeDocument: hang,
  close: async () => {},
});

describe.concurrent('an encoder that never answers', () => {
  const calls: Record<string, (index: Index, signal?: AbortSignal) => Promise<unknown>> = {
    add: (index, signal) => index.add({ id: 'b', text: 'a text' }, { signal }),
    'add of many': (index, signal) => index.add([{ id: 'b', text: 'a text' }], { signal }),
    search: (index, signal) => index.search('a text', { signal }),
    rerank: (index, signal) => index.rerank('a text', ['a1'], { signal }),
    fit: (index, signal) => index.fit({ ...LEARN, signal }),
    'fit with texts': (index, signal) => index.fit({ ...LEARN, learn: ['a text'], signal }),
    tune: (index, signal) => index.tune({ signal }),
    'tune with texts': (index, signal) => index.tune({ queries: ['a text'], signal }),
  };
  test.each(Object.entries(calls))(
    '%s ends when the signal aborts, and with close()',
    { timeout: HANG },
    async (_, call) => {
      for (const how of ['abort', 'close']) {
        const { asked, hang } = asking();
        const index = await Index.create(memoryStorage(), {
          encoder: hangingEncoder(hang),
          features: 'random',
          threads: 1,
        });
        await index.add(BASE);
        const controller = new AbortController();
        const outcome = outcomeOf(call(index, controller.signal));
        await asked;
        if (how === 'abort') controller.abort('enough');
        else await index.close();
        expect(await outcome).toEqual(
          how === 'abort' ? 'enough' : expect.objectContaining({ code: 'closed' }),
        );
        await index.close();
      }
    },
  );

  test('a search that is being computed or read is not cut by close()', {
    timeout: HANG,
  }, async () => {
    const index = await Index.create(memoryStorage(), { dim: DIM, threads: 1 });
    await index.add(BASE);
    const searching = index.searchBatch(new Array(50).fill(QUERY), { k: 40 });
    await index.close();
    expect(await searching).toHaveLength(50);
  });
});
