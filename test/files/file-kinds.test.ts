import { describe, expect, test, vi } from 'vitest';
import type { FolderFile, SkippedFile } from '../../src/files/node-folder-file.js';
import { folderOf, readAll, reasonsOf } from './read-all.js';
import { smallDocx, smallPdf } from './small-documents.js';

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
