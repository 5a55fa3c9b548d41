import { describe, expect, test } from 'vitest';
import { Index, type MirrorDocument, memoryStorage } from '../../dist/entry/node.js';
import { NOTHING, sourceOf } from './mirrored.js';
import { wordEncoder } from './passage-encoder.js';

describe('what happens while a source is brought in', () => {
  const made = async (passages?: { size: number }) =>
    Index.create(memoryStorage(), { encoder: wordEncoder(), passages, threads: 1 });
  const idsOf = async (index: Index, words: string) =>
    (await index.search(words, { mode: 'keywords' })).hits.map(({ id }) => id).sort();

  test("two roots that come at once do not take each other's place", async () => {
    const index = await made();
    await Promise.all(
      ['one', 'two'].map((root) => index.mirror(sourceOf({ 'a.md': `word ${root}` }, { root }))),
    );
    expect(index.size).toBe(2);
    // whichever came first
    const [first, other] = await idsOf(index, 'word');
    expect(first).toBe('a.md');
    expect(['one/a.md', 'two/a.md']).toContain(other);
    for (const root of ['one', 'two'])
      expect(await index.mirror(sourceOf({ 'a.md': `word ${root}` }, { root }))).toMatchObject({
        ...NOTHING,
        unchanged: 1,
      });
    await index.close();
  });

  test.each([
    ['whole', undefined],
    ['cut', { size: 20 }],
  ])(
    'an id that comes before a renamed document takes it is no second one (%s)',
    async (_name, passages) => {
      const index = await made(passages);
      const files = { 'a.md': 'kept', 'b.md': 'kept too', 'old.md': 'moved' };
      await index.mirror(sourceOf(files));
      const own = { 'a.md': 'kept', 'b.md': 'kept too', 'new.md': 'moved' };
      await index.mirror({
        ...sourceOf(own),
        async *list() {
          for (const { id, text, metadata } of sourceOf(own) as Iterable<MirrorDocument>) {
            const read = async () => {
              await index.add({ id, text: 'by hand' }, { onExisting: 'replace' });
              return { text: text as string, metadata };
            };
            yield id === 'new.md' ? { id, hash: `text ${text}`, read } : { id, text, metadata };
          }
        },
      });
      await index.mirror(sourceOf(own));
      expect(index.size).toBe(3);
      expect((await index.get('new.md'))?.text).toBe('moved');
      expect(await index.get('old.md')).toBeUndefined();
      expect((await index.verify()).problems).toEqual([]);
      await index.close();
    },
  );

  test('a text that is another one when it is read, and then as it was, is as it is', async () => {
    const index = await made();
    let pass = 0;
    const source = {
      root: 'pages',
      *[Symbol.iterator]() {
        yield { id: 'a', text: ++pass === 2 ? 'in between' : 'as it is' };
      },
    };
    await index.mirror(source);
    expect((await index.get('a'))?.text).toBe('in between');
    expect(await index.mirror(source)).toMatchObject({ updated: 1 });
    expect((await index.get('a'))?.text).toBe('as it is');
    await index.close();
  });

  test('a file that has changed once it is renamed is not taken for what it was', async () => {
    const index = await made();
    const kept = { 'a.md': 'kept', 'b.md': 'kept too' };
    await index.mirror(sourceOf({ ...kept, 'old.md': 'first' }));
    let pass = 0;
    const source = {
      root: 'pages',
      *[Symbol.iterator](): Iterator<MirrorDocument> {
        const text = ++pass === 1 ? 'first' : 'second';
        yield* sourceOf({ ...kept, 'new.md': text }) as Iterable<MirrorDocument>;
      },
    };
    await index.mirror(source);
    expect((await index.get('new.md'))?.text).toBe('second');
    expect(await index.mirror(source)).toMatchObject({ unchanged: 3, deleted: 1 });
    await index.close();
  });

  test('long hashes of digits that begin alike are told apart', async () => {
    const index = await made();
    const version = (number: number) => ({
      root: 'pages',
      *[Symbol.iterator]() {
        yield { id: 'a', text: `version ${number}`, hash: String(number).padStart(64, '0') };
      },
    });
    await index.mirror(version(1));
    expect(await index.mirror(version(2))).toMatchObject({ updated: 1 });
    expect((await index.get('a'))?.text).toBe('version 2');
    await index.close();
  });
});
