import { rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FolderOptions, ListedFile } from '../../src/files/node-folder-file.js';
import { readFolder } from '../../src/files/node-read-folder.js';
import { folderOf, readAll, reasonsOf } from './read-all.js';

const IGNORES_CASE = ['win32', 'darwin'].includes(process.platform);

async function listed(folder: string): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for await (const file of readFolder(folder).list()) files.push(file);
  return files;
}

describe('a folder', () => {
  test('gives its texts and what is known of them', async () => {
    const folder = await folderOf({
      'plan.md': '---\ntitle: The plan\ntags: [a, b]\nyear: 2026\n---\n# Plan\n\nGo.\n',
      'deep/er/note.txt': 'A note.\r\n',
      LICENSE: 'Free.',
      'main.py': 'print(1)\n',
      'notes.org': '#+TITLE: Org\n* One\n',
      'data.json': '{"a": 1}',
      'wide.txt': new Uint8Array([0xff, 0xfe, ...Buffer.from('Ähre', 'utf16le')]),
      'bom.md': '\ufeff# Begun\n',
    });
    const when = new Date('2026-01-31T12:00:00.500Z');
    await utimes(join(folder, 'plan.md'), when, when);
    const { files, texts, skipped } = await readAll(folder);
    expect(skipped).toEqual([]);
    expect(texts).toEqual({
      LICENSE: 'Free.',
      'bom.md': '# Begun\n',
      'data.json': '{"a": 1}',
      'main.py': 'print(1)\n',
      'notes.org': '#+TITLE: Org\n* One\n',
      'plan.md': '\n\n\n\n\n# Plan\n\nGo.\n',
      'wide.txt': 'Ähre',
      'deep/er/note.txt': 'A note.\r\n',
    });
    const of = (name: string) => files.find(({ id }) => id === name)?.metadata;
    expect(of('plan.md')).toEqual({
      title: 'The plan',
      tags: ['a', 'b'],
      year: 2026,
      path: 'plan.md',
      modified: '2026-01-31T12:00:00.500Z',
    });
    expect(of('bom.md')?.title).toBe('Begun');
    expect(of('notes.org')?.title).toBe('Org');
    expect(of('deep/er/note.txt')).toEqual({
      path: 'deep/er/note.txt',
      modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  test('leaves out, and counts, what nobody means', async () => {
    const folder = await folderOf({
      'a.md': 'A.',
      '.hidden': 'No.',
      '.git/config': 'No.',
      'node_modules/x/readme.md': 'No.',
      'yarn.lock': 'No.',
      'app.min.js': 'no()',
      'picture.png': 'No.',
      program: Uint8Array.of(1, 0, 2),
      'blank.txt': ' \n\t\n',
      'far.txt': 'Too long to be read.',
      'far.bin': new Uint8Array(64),
      'bad.md': Uint8Array.of(0x61, 0xff),
      'own.lemur/index.json': '{"format":"lemur-index","version":1}',
      'own.lemur/more.md': 'No.',
      'index.json': '{"other": true}',
    });
    await symlink('/etc', join(folder, 'etc'));
    await symlink('/etc/hostname', join(folder, 'host.txt'));
    await symlink(join(folder, 'a.md'), join(folder, 'again.md'));
    await symlink('nothing', join(folder, 'broken.md'));
    const read = await readAll(folder, { maxBytes: 18 });
    expect(Object.keys(read.texts)).toEqual(['a.md', 'again.md', 'index.json']);
    expect(reasonsOf(read)).toEqual({
      '.git': 'hidden',
      '.hidden': 'hidden',
      'app.min.js': 'generated',
      'bad.md': 'unread',
      'blank.txt': 'empty',
      'broken.md': 'link',
      etc: 'link',
      'far.bin': 'binary',
      'far.txt': 'large',
      'host.txt': 'link',
      node_modules: 'ignored',
      'own.lemur/': 'index',
      'picture.png': 'binary',
      program: 'binary',
      'yarn.lock': 'generated',
    });
    const said = read.skipped.flatMap(({ error }) => error?.message ?? []);
    expect(said.sort()).toEqual(['bad.md: not UTF-8', 'far.txt: 20 bytes, expected at most 18']);
  });

  test('honours .gitignore, nested and above it, as git does', async () => {
    const repository = await folderOf({
      '.git/HEAD': 'ref',
      '.gitignore': 'build/\n/docs/secret.md\n*.tmp.md\n',
      'docs/.gitignore': 'draft*\n!draft-kept.md\n',
      'docs/a.md': 'A.',
      'docs/secret.md': 'No.',
      'docs/x.tmp.md': 'No.',
      'docs/draft-1.md': 'No.',
      'docs/draft-kept.md': 'Kept.',
      'docs/Draft-kept.md.txt': 'Kept: of another case.',
      'docs/build/b.md': 'No.',
      'docs/deep/.gitignore': '!x.tmp.md\n/c.md\n',
      'docs/deep/x.tmp.md': 'Kept.',
      'docs/deep/c.md': 'No.',
      'docs/deep/er/c.md': 'Kept.',
      'build/own.md': 'Named.',
    });
    expect(Object.keys((await readAll(join(repository, 'docs'))).texts)).toEqual([
      ...(IGNORES_CASE ? [] : ['Draft-kept.md.txt']),
      'a.md',
      'draft-kept.md',
      'deep/x.tmp.md',
      'deep/er/c.md',
    ]);
    expect(Object.keys((await readAll(repository)).texts)).not.toContain('build/own.md');
    // it was named, so nothing above speaks against it
    expect(Object.keys((await readAll(join(repository, 'build'))).texts)).toEqual(['own.md']);
  });

  test('is listed by hashes of what its files are and when they were changed', async () => {
    const folder = await folderOf({ 'a.md': 'One.', 'b.md': 'Two.', 'bad.md': '\u0000' });
    const before = await listed(folder);
    expect(before.map(({ id, keep }) => [id, keep])).toEqual([
      ['a.md', undefined],
      ['b.md', undefined],
      ['bad.md', true],
    ]);
    await writeFile(join(folder, 'a.md'), 'Another.');
    await utimes(join(folder, 'b.md'), 1, 1);
    const after = await listed(folder);
    expect(after[0].hash).not.toBe(before[0].hash);
    expect(after[1].hash).toBe(before[1].hash);
    expect(after[1].metadataHash).not.toBe(before[1].metadataHash);
    expect(await after[0].read()).toMatchObject({ text: 'Another.', metadata: { path: 'a.md' } });
    await rm(join(folder, 'a.md'));
    expect(await after[0].read()).toBeUndefined();
  });

  test('is not whole where a folder below cannot be listed', async () => {
    const many = Array.from({ length: 40 }, (_, i) => [`${i}.md`, 'Text.']);
    const folder = await folderOf({ ...Object.fromEntries(many), 'disk/a.md': 'A.' });
    const files = readFolder(folder);
    const ids: string[] = [];
    for await (const { id } of files) {
      // unmounted meanwhile
      if (ids.length === 0) await rm(join(folder, 'disk'), { recursive: true });
      ids.push(id);
    }
    expect(ids).toHaveLength(40);
    expect(files.complete).toBe(false);
    expect(files.reasons).toEqual({ unread: 1 });
  });

  test('that is not there, is a file, or wrong options are errors', async () => {
    const folder = await folderOf({ 'a.md': 'A.' });
    await expect(listed(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'not-found' });
    // where a file has come, what was there is not known to be gone
    for (const path of ['a.md', 'a.md/below'])
      await expect(listed(join(folder, path))).rejects.toMatchObject({ code: 'invalid-argument' });
    for (const [options, said] of [
      [{ maxBytes: 0 }, 'maxBytes'],
      [{ onSkipped: 1 }, 'onSkipped'],
      [{ maxByte: 1 }, 'maxBytes'],
    ] as [FolderOptions, string][])
      expect(() => readFolder(folder, options)).toThrow(said);
    expect(() => readFolder('https://example.com/notes')).toThrow('expected a path');
  });
});
