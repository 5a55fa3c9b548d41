import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Index, type Mirrored, type MirrorOptions } from '../../dist/entry/node.js';
import { readFolder } from '../../dist/entry/node-files.js';
import { temporaryFolder } from '../temporary-folder.js';
import { countingEncoder, FILES, NOTHING } from './mirrored.js';

const root = await temporaryFolder('mirror-moved');
const at = (name: string): string => join(root, name);
const write = async (folder: string, files = FILES): Promise<void> => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(at(`${folder}/${name}`)), { recursive: true });
    await writeFile(at(`${folder}/${name}`), text);
  }
};
const encoder = countingEncoder();
const mirrored = async (
  index: string,
  folder: string,
  options: MirrorOptions = {},
): Promise<{ done: Mirrored; roots: string[]; ids: string[] }> => {
  encoder.texts.length = 0;
  await using opened = await Index.openOrCreate(at(index), { encoder, threads: 1 });
  const done = await opened.mirror(readFolder(at(folder)), options);
  const roots = opened.stats().roots.map((one) => one.root);
  const { hits } = await opened.search('ant1 bee1', { k: 99, groupBy: 'source', include: [] });
  return { done, roots, ids: hits.map(({ id }) => id).sort() };
};

test.skipIf(process.platform === 'win32')(
  'a collection that is opened through a link, or whose folder is, knows its root',
  async () => {
    await write('real/notes');
    await mkdir(at('far/away'), { recursive: true });
    await mirrored('far/away/index', 'real/notes');
    await symlink(at('far/away/index'), at('link'));
    await symlink(at('real'), at('by'));
    for (const [index, folder] of [
      ['link', 'real/notes'],
      ['link', 'by/notes'],
      ['far/away/index', 'by/notes'],
      ['far/away/index', 'real/notes'],
    ])
      expect((await mirrored(index, folder)).done).toEqual({ ...NOTHING, unchanged: 4 });
    // and one that was made through a link is known without it
    await mkdir(at('far/other'));
    await symlink(at('far/other'), at('other'));
    await mirrored('other', 'by/notes');
    await mirrored('other', 'by/notes');
    const { done } = await mirrored('far/other', 'real/notes');
    expect(done).toEqual({ ...NOTHING, unchanged: 4 });
  },
);

test.skipIf(process.platform === 'win32')(
  'a collection that is opened through a link takes no folder beside the link for its root',
  async () => {
    await write('p/notes');
    await mirrored('p/index', 'p/notes');
    await mkdir(at('q'));
    await symlink(at('p/index'), at('q/index'));
    await write('q/notes', { 'a.md': FILES['a.md'], 'b.md': FILES['b.md'], 'c.md': 'A crow.' });
    const { done, ids } = await mirrored('q/index', 'q/notes', { force: true });
    expect(done).toMatchObject({ added: 3, updated: 0, deleted: 0 });
    expect(ids).toEqual([...Object.keys(FILES), 'notes/a.md', 'notes/b.md', 'notes/c.md'].sort());
  },
);

test.skipIf(process.platform === 'win32')(
  'a folder whose place became a link to where it is now is the same root',
  async () => {
    await write('old/notes');
    await mirrored('old/index', 'old/notes');
    await mkdir(at('new'));
    await rename(at('old/notes'), at('new/notes'));
    await symlink(at('new/notes'), at('old/notes'));
    for (const folder of ['old/notes', 'new/notes'])
      expect((await mirrored('old/index', folder)).done).toEqual({ ...NOTHING, unchanged: 4 });
  },
);

test('a collection that moves without its folder takes it for another root, and deletes nothing', async () => {
  await write('papers');
  await mirrored('here/index', 'papers');
  await mkdir(at('there/deep'), { recursive: true });
  await rename(at('here/index'), at('there/deep/index'));
  await rm(at('papers/d.txt'));
  const { done, roots } = await mirrored('there/deep/index', 'papers');
  expect(done).toMatchObject({ added: 3, updated: 0, deleted: 0 });
  expect(roots).toEqual(['../../papers', '../../../papers']);
  const again = await mirrored('there/deep/index', 'papers');
  expect(again.done).toEqual({ ...NOTHING, unchanged: 3 });
});

test('another folder of that name is another root, and so is one beside the first', async () => {
  await write('x/notes');
  await mirrored('x/index', 'x/notes');
  await write('y/notes', { 'a.md': 'Another ant.', 'z.md': 'A zebra.' });
  // the first one is still there
  expect((await mirrored('x/index', 'y/notes')).ids).toContain('notes/a.md');
  await write('v/notes');
  await mirrored('v/index', 'v/notes');
  await rm(at('v/notes'), { recursive: true });
  // the first one is gone, but what is there is something else
  const { done, roots, ids } = await mirrored('v/index', 'y/notes');
  expect(done).toMatchObject({ added: 2, deleted: 0 });
  expect(roots).toEqual(['../notes', '../../y/notes']);
  expect(ids).toEqual(['a.md', 'b.md', 'c.md', 'd.txt', 'notes/a.md', 'notes/z.md']);
  expect(await readFile(at('y/notes/z.md'), 'utf8')).toBe('A zebra.');
});

test('a folder in place of which there is a file counts as gone never, however it is forced', async () => {
  await write('was/notes');
  await mirrored('was/index', 'was/notes');
  await rm(at('was/notes'), { recursive: true });
  await writeFile(at('was/notes'), 'A file.');
  for (const force of [false, true])
    await expect(mirrored('was/index', 'was/notes', { force })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
});

describe('a folder and one around it', () => {
  const DEEP = { 'x/y/bee.md': 'Bees dance.', 'x/y/z/owl.md': 'Owls turn.', 'x/elk.md': 'Elks.' };

  test('the inner one is refused, however deep it is, where the outer one has its files', async () => {
    await write('nest/notes', DEEP);
    await mirrored('nest/index', 'nest/notes');
    for (const inner of ['x', 'x/y', 'x/y/z'])
      await expect(mirrored('nest/index', `nest/notes/${inner}`)).rejects.toThrow(
        'kept in step with ../notes already, which this lies in: give that one again',
      );
    // what the outer one leaves out may come by itself
    await write('nest/notes/.own', { 'cat.md': 'Cats.' });
    const { ids } = await mirrored('nest/index', 'nest/notes/.own');
    expect(ids).toEqual([...Object.keys(DEEP), '.own/cat.md'].sort());
  });

  test('the outer one leaves out what the inner one has, and each is in step then', async () => {
    await write('around/notes', DEEP);
    await mirrored('around/index', 'around/notes/x/y');
    const { done, ids } = await mirrored('around/index', 'around/notes');
    expect(done).toMatchObject({ added: 1, skipped: 2 });
    expect(ids).toEqual(['bee.md', 'notes/x/elk.md', 'z/owl.md']);
    await write('around/notes', { 'x/y/new.md': 'Newts.' });
    expect((await mirrored('around/index', 'around/notes')).done).toMatchObject({ added: 1 });
    const inner = await mirrored('around/index', 'around/notes/x/y');
    expect(inner.done).toMatchObject({ added: 0, deleted: 0, unchanged: 2, skipped: 1 });
    expect(inner.ids).toHaveLength(4);
  });
});
