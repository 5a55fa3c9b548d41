import { describe, expect, test } from 'vitest';
import type { MirrorSource } from '../../dist/entry/node.js';
import { contentsOf, FILES, filled, NOTHING, sourceOf } from './mirrored.js';
import { rejection } from './small-collection.js';

describe('nothing is deleted', () => {
  test.each<[string, MirrorSource]>([
    ['where the source has nothing', sourceOf({})],
    ['where more than half is gone', sourceOf({ 'a.md': FILES['a.md'], 'new.md': 'New.' })],
  ])('%s, unless that is forced', async (_name, source) => {
    const { index } = await filled();
    const before = index.stats();
    const error = await rejection(index.mirror(source));
    expect(error.message).toContain('{ force: true }');
    expect(index.stats()).toEqual(before);
    const { deleted } = await index.mirror(source, { force: true });
    expect(deleted).toBeGreaterThan(2);
    await index.close();
  });

  test.each<[string, MirrorSource, object, object]>([
    [
      'where the call says so',
      sourceOf({ 'a.md': FILES['a.md'] }),
      { delete: false },
      { stale: 3 },
    ],
    [
      'where the source could not list all',
      sourceOf({ 'a.md': FILES['a.md'] }, { complete: false }),
      {},
      {},
    ],
  ])('%s', async (_name, source, options, told) => {
    const { index } = await filled();
    expect(await index.mirror(source, options)).toEqual({ ...NOTHING, ...told, unchanged: 1 });
    expect(await contentsOf(index, Object.keys(FILES))).not.toContain(undefined);
    await index.close();
  });

  test('of a document that is there and cannot be read', async () => {
    const { index } = await filled();
    const source: MirrorSource = {
      root: 'pages',
      *[Symbol.iterator]() {
        yield { id: 'a.md', keep: true };
        yield { id: 'b.md', hash: 'another', read: async () => undefined };
        yield { id: 'c.md', text: FILES['c.md'], metadata: { size: 1 } };
        yield { id: 'd.txt', keep: true };
      },
    };
    expect(await index.mirror(source)).toMatchObject({ updated: 1, deleted: 0, skipped: 3 });
    expect((await index.get('b.md'))?.text).toBe(FILES['b.md']);
    expect((await index.get('a.md'))?.text).toBe(FILES['a.md']);
    await index.close();
  });
});

test('a document that is renamed takes the place of the old one also where nothing is to be deleted', async () => {
  const { index } = await filled();
  const { 'b.md': moved, 'c.md': _gone, ...rest } = FILES;
  const done = await index.mirror(sourceOf({ ...rest, 'z.md': moved }), { delete: false });
  expect(done).toMatchObject({ renamed: 1, added: 0, deleted: 0, stale: 1 });
  expect(await index.get('b.md')).toBeUndefined();
  expect((await index.get('z.md'))?.text).toBe(moved);
  expect((await index.get('c.md'))?.text).toBe(FILES['c.md']);
  await index.close();
});

describe('a document whose text became blank', () => {
  const blank = { ...FILES, 'b.md': ' \n' };

  test('goes, and is counted', async () => {
    const { index } = await filled();
    expect(await index.mirror(sourceOf(blank))).toMatchObject({ deleted: 1, skipped: 1 });
    expect(await index.get('b.md')).toBeUndefined();
    const { hits } = await index.search('bee1', { groupBy: 'source', k: 9 });
    expect(hits.map(({ id }) => id).sort()).toEqual(['a.md', 'c.md', 'd.txt']);
    await index.close();
  });

  test('stays, and is counted, where nothing is to be deleted', async () => {
    const { index } = await filled();
    const done = await index.mirror(sourceOf(blank), { delete: false });
    expect(done).toMatchObject({ deleted: 0, stale: 1 });
    expect((await index.get('b.md'))?.text).toBe(FILES['b.md']);
    await index.close();
  });

  test('stays where more than half are, unless that is forced', async () => {
    const { index } = await filled();
    const refused: string[] = [];
    const all = { 'a.md': '', 'b.md': ' ', 'c.md': '\n', 'd.txt': FILES['d.txt'] };
    const source = sourceOf(all, { refuse: (id, error) => refused.push(`${id} ${error.message}`) });
    expect(await index.mirror(source)).toMatchObject({ deleted: 0, skipped: 3 });
    expect(refused).toHaveLength(3);
    expect(refused[0]).toContain('{ force: true } deletes what there was');
    expect(await index.mirror(source, { force: true })).toMatchObject({ deleted: 3 });
    await index.close();
  });

  test('stays where all are, however many they are and however often that is tried', async () => {
    const { index } = await filled();
    const pages = Array.from({ length: 600 }, (_, i) => [`p${i}`, `Page ${i}.`] as const);
    await index.mirror(sourceOf({ ...FILES, ...Object.fromEntries(pages) }));
    const blank = Object.fromEntries(
      [...Object.keys(FILES), ...pages.map(([id]) => id)].map((id) => [id, ' ']),
    );
    for (let run = 0; run < 2; run++) {
      const done = await index.mirror(sourceOf(blank, { refuse: () => {} }));
      expect(done).toMatchObject({ deleted: 0, skipped: 604 });
    }
    expect(index.stats().sources).toBe(604);
    await index.close();
  });
});
