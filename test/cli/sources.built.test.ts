import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect } from '../../src/cli/collect.js';
import { openSource, openVectors } from '../../src/cli/source.js';
import { writeNpy } from '../../src/formats/npy/npy.js';
import { writeSafetensors } from '../../src/formats/safetensors/safetensors.js';
import type { BeirDocument } from '../../src/formats/texts/beir.js';
import { runInProcess } from '../fuzz/run-in-process.js';
import { tokensOf, writeTokenFolder } from './token-data.js';

let folder: string;
let at: (name: string) => string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lemur-sources-'));
  at = (name) => join(folder, name);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Options of reading, and what was said meanwhile. */
const reading = (input: string | Uint8Array = '') => {
  const notes: string[] = [];
  const reporter = {
    note: (line: string) => void notes.push(line),
    step: () => Promise.reject(new Error('no step expected')),
  };
  return {
    notes,
    options: {
      openInput: () => Readable.from([Buffer.from(input)]),
      signal: new AbortController().signal,
      reporter,
    },
  };
};

const textsOf = async (
  path: string,
  { options }: ReturnType<typeof reading>,
  more = {},
): Promise<BeirDocument[]> => {
  const source = await openSource(path, { ...options, ...more });
  if (source.kind !== 'texts') throw new Error('expected texts');
  return collect(source.documents);
};

describe('texts', () => {
  test('a single .md or .txt file is one document, named as in its folder', async () => {
    for (const name of ['note.md', 'Note.TXT']) {
      writeFileSync(at(name), '# Otters\n\n{"they": "hold hands"}\n');
      expect(await textsOf(at(name), reading())).toEqual([
        { id: name, title: '', text: '# Otters\n\n{"they": "hold hands"}\n' },
      ]);
    }
  });

  test('a .txt file of JSON lines is JSON lines', async () => {
    writeFileSync(at('lines.txt'), '\ufeff\n{"id":"a","text":"b"}\n');
    expect(await textsOf(at('lines.txt'), reading())).toEqual([{ id: 'a', title: '', text: 'b' }]);
  });

  test('JSON lines on standard input may be gzipped, as in a file', async () => {
    const packed = gzipSync('{"id":"a","text":"b"}\n');
    expect(await textsOf('-', reading(packed))).toEqual([{ id: 'a', title: '', text: 'b' }]);
    await expect(textsOf('-', reading(packed.subarray(0, -9)))).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('standard input: damaged gzip data'),
    });
  });

  test('a file of another ending is read as those of a folder are', async () => {
    writeFileSync(at('note.rst'), '\n Otters hold hands.\n');
    expect(await textsOf(at('note.rst'), reading())).toEqual([
      { id: 'note.rst', title: '', text: '\n Otters hold hands.\n', metadata: {} },
    ]);
    writeFileSync(at('rows.tsv'), 'name\tlegs\nowl\t2\n');
    const [{ text }] = (await textsOf(at('rows.tsv'), reading())) as { text: string }[];
    expect(text).toContain('legs: 2');
  });

  test('a file without an ending must be JSON lines, and is told from a text', async () => {
    for (const name of ['note', 'note.jsonl']) {
      writeFileSync(at(name), '\n Otters hold hands.\n');
      await expect(textsOf(at(name), reading())).rejects.toMatchObject({
        code: 'bad-file',
        message:
          `${at(name)}: begins with "Otters hold hands.\\n", expected JSON lines; ` +
          'the name of a text ends with .txt, .md or the like',
      });
    }
  });

  test('empty files of a folder are left out and counted; a folder of nothing else is refused', async () => {
    mkdirSync(at('notes'));
    for (const [name, text] of Object.entries({
      'a.md': 'x',
      'b.md': '',
      'c.txt': ' \n',
      'd.md': '',
      'e.md': '',
    }))
      writeFileSync(at(`notes/${name}`), text);
    const it = reading();
    expect(await textsOf(at('notes'), it)).toMatchObject([{ id: 'a.md' }]);
    expect(it.notes).toEqual([
      `${at('notes')}: left out 4 documents without any text: b.md, c.txt, d.md, …`,
    ]);
    mkdirSync(at('empty'));
    writeFileSync(at('empty/a.md'), '');
    await expect(textsOf(at('empty'), reading())).rejects.toMatchObject({ code: 'empty-corpus' });
  });

  test('a line without text is refused as before, or left out and counted', async () => {
    const lines = '{"id":"a","text":"b"}\n{"id":"c","text":""}\n';
    await expect(textsOf('-', reading(lines))).rejects.toMatchObject({
      code: 'empty-document',
      message: expect.stringContaining('--skip-empty'),
    });
    const it = reading(lines);
    expect(await textsOf('-', it, { skipEmpty: true })).toHaveLength(1);
    expect(it.notes).toEqual(['standard input: left out 1 document without any text: c']);
  });

  test('fields of JSON lines that are not read are said once', async () => {
    const it = reading(
      '{"id":"a","text":"b","url":1,"lang":"en"}\n{"id":"c","text":"d","url":2}\n',
    );
    await textsOf('-', it);
    expect(it.notes).toEqual([
      'standard input: fields that are not read: "url" (2 lines), "lang" (1 line); ' +
        'read are _id (or id), title, text and metadata, which takes any fields',
    ]);
  });
});

describe('token vectors that are zero throughout', () => {
  // three texts of 3 rows x 2, with padding at the end of two and within one
  const padded = Float32Array.of(1, 2, 0, 0, 3, 4, 5, 6, -0, 0, 0, 0, 1, 0, 0, 1, 1, 1);
  const cut = {
    counts: [2, 1, 3],
    vectors: [1, 2, 3, 4, 5, 6, 1, 0, 0, 1, 1, 1],
    offsets: [0, 2, 3, 6],
  };
  const note = (label: string) => [
    `${label}: left out 3 token vectors of 9, in 2 texts, zero throughout, ` +
      'as padding is (--keep-zeros takes them for tokens)',
  ];
  const files = (): [string, Uint8Array][] => [
    ['padded.npy', writeNpy({ shape: [3, 3, 2], data: padded })],
    ['padded.safetensors', writeSafetensors({ tokens: { shape: [3, 3, 2], data: padded } })],
  ];

  test.each(files())('%s: are left out, with their number', async (name, bytes) => {
    writeFileSync(at(name), bytes);
    for (const [path, label, input] of [
      [at(name), at(name), ''],
      ['-', 'standard input', bytes],
    ] as const) {
      const it = reading(input);
      const { tokens } = await openVectors(path, it.options);
      expect({
        counts: [...tokens.counts],
        vectors: [...tokens.vectors],
        offsets: [...tokens.offsets],
      }).toEqual(cut);
      expect(it.notes).toEqual(note(label));
      const source = await openSource(path, { ...reading(input).options });
      expect(source.kind === 'vectors' && [...source.tokens.vectors]).toEqual(cut.vectors);
      const kept = reading(input);
      expect([
        ...(await openVectors(path, { ...kept.options, keepZeros: true })).tokens.vectors,
      ]).toEqual([...padded]);
      expect(kept.notes).toEqual([]);
    }
  });

  test('a folder with counts', async () => {
    await writeTokenFolder(at('padded'), {
      vectors: padded,
      counts: Int32Array.of(3, 3, 3),
      dim: 2,
    });
    const it = reading();
    expect([...(await openVectors(at('padded'), it.options)).tokens.counts]).toEqual(cut.counts);
    expect(it.notes).toEqual(note(at('padded')));
  });

  test('a text of nothing else is refused', async () => {
    writeFileSync(
      at('zero.npy'),
      writeNpy({ shape: [2, 2, 2], data: Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0) }),
    );
    await expect(openSource(at('zero.npy'), reading().options)).rejects.toMatchObject({
      code: 'empty-document',
      message:
        `${at('zero.npy')}: text 1 has 2 token vectors, all of them zero; ` +
        '--keep-zeros takes them as they are',
    });
    const { exitCode, stderr } = await runInProcess(
      ['add', at('zeros'), at('zero.npy'), '--keep-zeros'],
      ['add'],
    );
    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('left out')]);
  });

  test('of documents and queries: an index of a padded array answers as one of the ragged vectors', async () => {
    const { vectors, counts, dim } = tokensOf(8, 4, 3);
    await writeTokenFolder(at('ragged'), { vectors, counts, dim });
    const most = Math.max(...counts);
    const data = new Float32Array(8 * most * dim);
    let from = 0;
    for (const [i, count] of counts.entries()) {
      data.set(vectors.subarray(from, from + count * dim), i * most * dim);
      from += count * dim;
    }
    writeFileSync(at('square.npy'), writeNpy({ shape: [8, most, dim], data }));
    const run = async (...args: string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await runInProcess(args, ['add', 'search']);
      expect([exitCode, stderr]).toEqual([0, expect.anything()]);
      return stdout.replace(/"ms":[^}]+/g, '').replaceAll('"ragged', '"square');
    };
    await run('add', at('ragged.lemur'), at('ragged'));
    await run('add', at('square.lemur'), at('square.npy'));
    expect(await run('search', at('square.lemur'), '--vectors', at('square.npy'), '--json')).toBe(
      await run('search', at('ragged.lemur'), '--vectors', at('ragged'), '--json'),
    );
  });
});

describe('what there is to learn and to measure', () => {
  const run = (...args: string[]) => runInProcess(args, ['add', 'fit', 'tune', 'eval', 'delete']);

  test('fit and tune of few documents say the same, and why', async () => {
    await writeTokenFolder(at('few'), tokensOf(8, 4, 1));
    await run('add', at('few.lemur'), at('few'));
    const why =
      'searches are exact, which is quick enough for 8 documents; features pay from 4,096 on';
    for (const more of [[], ['--random-features']]) {
      const { exitCode, stdout } = await run('fit', at('few.lemur'), ...more);
      expect([exitCode, stdout]).toEqual([
        0,
        expect.stringContaining(
          `few.lemur: nothing to learn: ${why}; an index made with --features`,
        ),
      ]);
    }
    const { exitCode, stderr } = await run('tune', at('few.lemur'));
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(
        'few.lemur: there is nothing to measure without features, ' +
          `exact searches find everything; ${why}\n`,
      ),
    ]);
    await run('add', at('exact.lemur'), at('few'), '--features', 'exact');
    expect((await run('fit', at('exact.lemur'))).stdout).toContain(
      'nothing to learn: searches are exact, as the collection was made to be',
    );
  });

  test('eval says which judged documents and queries are not there', async () => {
    writeFileSync(at('qrels.tsv'), '0\t0\t1\n0\tgone\t1\n1\tlost\t0\n99\t3\t1\n');
    const { stdout, stderr } = await run(
      'eval',
      at('few.lemur'),
      '--queries',
      at('few'),
      '--qrels',
      at('qrels.tsv'),
      '--json',
      '-k',
      '1',
    );
    expect(stderr).toContain(
      `${at('qrels.tsv')}: 2 judged documents of 3 not in the index: gone, lost\n`,
    );
    expect(stderr).toContain(`${at('qrels.tsv')}: 1 judged query not among the queries: 99\n`);
    expect(JSON.parse(stdout).missing).toEqual({ queries: 1, documents: 2 });
  });
});
