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
