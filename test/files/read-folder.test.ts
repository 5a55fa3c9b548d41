import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type {
  FolderFile,
  FolderOptions,
  ListedFile,
  SkippedFile,
} from '../../src/files/node-folder-file.js';
import { readFolder } from '../../src/files/node-read-folder.js';
import { temporaryFolder } from '../temporary-folder.js';
import { smallDocx, smallPdf } from './small-documents.js';

const IGNORES_CASE = ['win32', 'darwin'].includes(process.platform);

type Content = string | Uint8Array;

let root: string;
let number = 0;
beforeAll(async () => {
  root = await temporaryFolder('files');
});

/** A new folder with these files. */
async function folderOf(files: Readonly<Record<string, Content>>): Promise<string> {
  const folder = join(root, `folder-${number++}`);
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

interface Read {
  readonly files: readonly FolderFile[];
  readonly skipped: readonly SkippedFile[];
  /** Texts by ids. */
  readonly texts: Readonly<Record<string, string>>;
}

async function readAll(folder: string, options: FolderOptions = {}): Promise<Read> {
  const skipped: SkippedFile[] = [];
  const files: FolderFile[] = [];
  const source = readFolder(folder, { ...options, onSkipped: (one) => skipped.push(one) });
  for await (const file of source) files.push(file);
  expect(source.skipped).toBe(skipped.length);
  expect(Object.values(source.reasons).reduce((sum, count) => sum + count, 0)).toBe(skipped.length);
  return { files, skipped, texts: Object.fromEntries(files.map(({ id, text }) => [id, text])) };
}

const reasonsOf = ({ skipped }: Read): Record<string, string> =>
  Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]));

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

describe('front matter', () => {
  const textOf = async (text: string): Promise<FolderFile> =>
    (await readAll(await folderOf({ 'a.md': text }))).files[0];

  test.each([
    ['is no mapping', '---\njust words\n---\n# A\n'],
    ['is not YAML', '---\na: [1\n---\n# A\n'],
    ['uses names for parts of it', '---\na: &a [1]\nb: [*a, *a]\n---\n# A\n'],
    ['goes too deep', `---\na: ${'['.repeat(9)}${']'.repeat(9)}\n---\n# A\n`],
    ['goes deeper than a stack', `---\na: ${'['.repeat(30_000)}\n---\n# A\n`],
    ['has too many values', `---\na: [${'1,'.repeat(300)}]\n---\n# A\n`],
    ['does not end', '---\na: 1\n# A\n'],
  ])('that %s stays in the text', async (_name, text) => {
    const file = await textOf(text);
    expect(file.text).toBe(text);
    expect(Object.keys(file.metadata).sort()).toEqual(
      text.indexOf('\n# A') < 4096 ? ['modified', 'path', 'title'] : ['modified', 'path'],
    );
  });

  test('that is no JSON stays in the text', async () => {
    const text = '---\na: !!binary aGk=\n---\nText.';
    expect(await textOf(text)).toMatchObject({ text, metadata: { path: 'a.md' } });
  });

  test('cannot say where a file is, nor what is no title', async () => {
    const { metadata } = await textOf('---\npath: /etc\ntitle: 7\nwhen: 2026-01-02\n---\n# A\n');
    expect(metadata).toMatchObject({ path: 'a.md', title: 'A', when: '2026-01-02' });
  });
});

describe('other kinds', () => {
  test('HTML becomes title, headings and paragraphs', async () => {
    const html =
      '<!doctype html><title> Two\nowls </title><style>p{}</style><body><h1>Owls &amp; ears</h1>' +
      '<p>They <b>turn</b>\n their <i>he</i>ads.<br>Always.<ul><li>one<li>two</ul>' +
      '<table><tr><td>a<td>b<tr><td>c</table><pre>x\n  y</pre><script>no()</script>' +
      '<svg><title>no</title><text>no</text></svg><p>End';
    const { files } = await readAll(await folderOf({ 'owls.html': html }));
    expect(files[0].metadata.title).toBe('Two owls');
    expect(files[0].text).toBe(
      '# Owls & ears\n\nThey turn their heads.\nAlways.\n\n- one\n- two\n\n' +
        'a b\nc\n\nx\n  y\n\nEnd\n',
    );
  });

  test('HTML that is deeper than any stack is read', async () => {
    const html = `${'<div>'.repeat(200_000)}Deep.`;
    const { files } = await readAll(await folderOf({ 'deep.html': html }));
    expect(files[0].text).toBe('Deep.\n');
  });

  test('a quote of CSV that is never closed takes no time by the square of its lines', async () => {
    const csv = `a,b\n"${'x,y\n'.repeat(100_000)}`;
    const { texts } = await readAll(await folderOf({ 'a.csv': csv }));
    expect(texts['a.csv']).toMatch(/^a; b\na: x,y x,y /);
  });

  test('CSV has a line for each row, as the file has', async () => {
    const csv = '\nname;what\nAnn;"says ""hi""\nand goes"\n;empty\nBob;"stays"\n';
    const { texts } = await readAll(await folderOf({ 'a.csv': csv, 'b.tsv': 'x\ty\n1\t2\n' }));
    expect(texts['a.csv'].split('\n')).toEqual([
      '',
      'name; what',
      'name: Ann; what: says "hi" and goes',
      '',
      'what: empty',
      'name: Bob; what: stays',
      '',
    ]);
    expect(texts['b.tsv']).toBe('x; y\nx: 1; y: 2\n');
  });

  test('lines that end with a carriage return alone end as others do', async () => {
    const old = {
      'a.md': '---\rtitle: T\r---\rOne.\rTwo.',
      'b.txt': 'x\ry\r',
      'c.txt': 'x\r\ny\rz',
    };
    const { texts, files } = await readAll(await folderOf(old));
    expect(texts).toEqual({ 'a.md': '\n\n\nOne.\nTwo.', 'b.txt': 'x\ny\n', 'c.txt': 'x\r\ny\rz' });
    expect(files[0].metadata.title).toBe('T');
  });

  test('PDF and Word files are read where their packages are installed', async () => {
    const { files } = await readAll(
      await folderOf({
        'page.pdf': smallPdf('Otters hold hands.'),
        'letter.docx': smallDocx('Dear bees', 'You dance.'),
      }),
    );
    expect(files.map(({ id, text }) => [id, text])).toEqual([
      ['letter.docx', '# Dear bees\n\nYou dance.\n'],
      ['page.pdf', 'Otters hold hands.'],
    ]);
    expect(files[0].metadata.title).toBe('Dear bees');
  });

  test('damaged ones, and one that unpacks to too much, are left out', async () => {
    const docx = smallDocx('Bees', 'dance');
    const read = await readAll(
      await folderOf({
        'a.pdf': '%PDF-1.4\nnothing',
        'b.pdf': smallPdf('Half').subarray(0, 120),
        'c.docx': docx.subarray(0, -30),
        'd.docx': 'no zip at all',
        'e.docx': smallDocx('Bomb', 'x', ' '.repeat(2 ** 26), 10),
        'good.md': 'Good.',
      }),
    );
    expect(Object.keys(read.texts)).toContain('good.md');
    for (const name of ['c.docx', 'd.docx', 'e.docx', 'a.pdf'])
      expect(reasonsOf(read)[name]).toBe('unread');
    expect(read.skipped.find(({ path }) => path === 'e.docx')?.error?.message).toMatch(
      /^e\.docx: it unpacks to more than \d+ bytes$/,
    );
  });
});

test('what is not installed is said with what to install', async () => {
  vi.resetModules();
  vi.doMock('unpdf', () => {
    throw new Error('not installed');
  });
  const { readFolder: fresh } = await import('../../src/files/node-read-folder.js');
  const skipped: SkippedFile[] = [];
  const folder = await folderOf({ 'page.pdf': smallPdf('Otters.') });
  for await (const _ of fresh(folder, { onSkipped: (one) => skipped.push(one) }));
  vi.doUnmock('unpdf');
  expect(skipped[0]).toMatchObject({ path: 'page.pdf', reason: 'unread' });
  expect(skipped[0].error?.message).toBe('.pdf files need the package unpdf: npm install unpdf');
});
