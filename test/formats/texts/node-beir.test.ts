import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BeirDocument } from '../../../src/formats/texts/beir.js';
import { type BeirDataset, fileBytes, readBeir } from '../../../src/formats/texts/node-beir.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-beir-'));
});
afterEach(() => rm(folder, { recursive: true }));

const corpus = '{"_id":"d1","title":"T","text":"one"}\n{"_id":"d2","text":"two"}\n';
const queries = '{"_id":"q0","text":"not judged"}\n{"_id":"q1","text":"judged"}\n';
const qrels = 'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td9\t1\nq8\td9\t2\n';

async function write(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

async function all(data: BeirDataset): Promise<BeirDocument[]> {
  const documents: BeirDocument[] = [];
  for await (const document of data.documents) documents.push(document);
  return documents;
}

describe('a folder', () => {
  test('is read plain, gzipped, and gzipped under a plain name, all the same', async () => {
    const layouts: Record<string, string | Uint8Array>[] = [
      { 'corpus.jsonl': corpus, 'queries.jsonl': queries, 'qrels/test.tsv': qrels },
      {
        'corpus.jsonl.gz': gzipSync(corpus),
        'queries.jsonl.gz': gzipSync(queries),
        'qrels.tsv.gz': gzipSync(qrels),
      },
      {
        'corpus.jsonl': gzipSync(corpus),
        'queries.jsonl.gz': queries,
        'qrels.tsv': gzipSync(qrels),
      },
      // members end to end, as `cat a.gz b.gz` makes them
      {
        'corpus.jsonl.gz': Buffer.concat(corpus.split(/(?<=\n)/).map((line) => gzipSync(line))),
        'queries.jsonl': queries,
        'qrels.tsv': qrels,
      },
    ];
    for (const layout of layouts) {
      await rm(folder, { recursive: true });
      await write(layout);
      const data = await readBeir(folder);
      expect(data.queries).toEqual([{ id: 'q1', text: 'judged' }]);
      expect(data.qrels.get('q1')).toEqual(
        new Map([
          ['d1', 1],
          ['d9', 1],
        ]),
      );
      expect(await all(data)).toEqual([
        { id: 'd1', title: 'T', text: 'one' },
        { id: 'd2', title: '', text: 'two' },
      ]);
    }
  });

  test('may judge queries and documents that it has not; they are counted', async () => {
    await write({ 'corpus.jsonl': corpus, 'queries.jsonl': queries, 'qrels.tsv': qrels });
    const data = await readBeir(folder, { queries: 'all' });
    expect(data.queries.map((query) => query.id)).toEqual(['q0', 'q1']);
    expect(data.unknown).toEqual({ queries: 1, documents: undefined });
    await all(data);
    expect(data.unknown).toEqual({ queries: 1, documents: 1 });
  });

  test('has the judgements of the split that is asked for, and of no other', async () => {
    await write({
      'corpus.jsonl': corpus,
      'queries.jsonl': queries,
      'qrels.tsv': qrels,
      'qrels/dev.tsv': 'q0\td2\t1\n',
    });
    expect([...(await readBeir(folder, { split: 'dev' })).qrels.keys()]).toEqual(['q0']);
    await expect(readBeir(folder, { split: 'train' })).rejects.toMatchObject({
      code: 'not-found',
      message: `${folder}: none of the files qrels/train.tsv, qrels/train.tsv.gz`,
    });
    await expect(readBeir(folder, { split: '../x' })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('can be looped over twice, and left early', async () => {
    await write({
      'corpus.jsonl.gz': gzipSync(corpus.repeat(1)),
      'queries.jsonl': queries,
      'qrels.tsv': qrels,
    });
    const data = await readBeir(folder);
    for await (const document of data.documents) {
      expect(document.id).toBe('d1');
      break;
    }
    expect(await all(data)).toHaveLength(2);
    expect(await all(data)).toHaveLength(2);
  });
});

describe('what is missing or damaged', () => {
  test('is named', async () => {
    await expect(readBeir(join(folder, 'none'))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('no such folder'),
    });
    await expect(readBeir(folder)).rejects.toMatchObject({
      code: 'not-found',
      message: `${folder}: none of the files corpus.jsonl, corpus.jsonl.gz`,
    });
    await write({ 'corpus.jsonl': corpus, 'queries.jsonl': queries });
    await expect(readBeir(folder)).rejects.toThrow(
      'none of the files qrels/test.tsv, qrels/test.tsv.gz, qrels.tsv, qrels.tsv.gz',
    );
    await expect(readBeir(join(folder, 'corpus.jsonl'))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('not a folder'),
    });
    for (const path of [
      join(folder, 'none'),
      join(folder, 'corpus.jsonl', 'x'),
      join(folder, 'x'.repeat(5000)),
      folder,
    ]) {
      await expect(fileBytes(path).next()).rejects.toMatchObject({
        code: 'not-found',
        fields: { where: path },
      });
    }
  });

  test('errors in the corpus come out of the loop with file and line', async () => {
    await write({
      'corpus.jsonl': `${corpus}{"_id":"d1","text":"again"}\n`,
      'queries.jsonl': queries,
      'qrels.tsv': qrels,
    });
    await expect(all(await readBeir(folder))).rejects.toMatchObject({
      code: 'invalid-argument',
      message:
        `${join(folder, 'corpus.jsonl')}: line 3: id "d1" was already used in line 1; ` +
        'ids must be unique',
    });
  });

  test('gzip data that is cut off or altered is a bad file', async () => {
    const packed = gzipSync(corpus.repeat(50));
    const altered = packed.slice();
    altered[altered.length - 6] ^= 1; // in the checksum
    for (const content of [packed.subarray(0, -10), packed.subarray(0, 2), altered]) {
      await write({ 'corpus.jsonl.gz': content, 'queries.jsonl': queries, 'qrels.tsv': qrels });
      const data = await readBeir(folder);
      const read = async () => {
        for await (const _ of fileBytes(join(folder, 'corpus.jsonl.gz')));
      };
      await expect(read()).rejects.toMatchObject({
        code: 'bad-file',
        message: expect.stringContaining('corpus.jsonl.gz: damaged gzip data'),
      });
      await expect(all(data)).rejects.toThrow();
    }
  });

  test('gzip data that unpacks to a thousand times its length is a bad file, soon', async () => {
    const megabyte = gzipSync(Buffer.alloc(2 ** 20, '\n'));
    await write({
      'corpus.jsonl.gz': Buffer.concat(new Array(2000).fill(megabyte)),
      'queries.jsonl': queries,
      'qrels.tsv': qrels,
    });
    await expect(all(await readBeir(folder))).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(
        /corpus\.jsonl\.gz: gzip data that unpacks to more than 500 times its length/,
      ),
    });
  });

  test('every file is closed at the end, also after an error and after leaving early', async () => {
    if (process.platform !== 'linux') return;
    const open = async () => (await readdir('/proc/self/fd')).length;
    const lines = Array.from(
      { length: 40_000 },
      (_, i) => `{"_id":"${i}","text":"${i % 7}"}\n`,
    ).join('');
    await write({
      'corpus.jsonl': lines,
      'queries.jsonl': queries,
      'qrels.tsv': qrels,
      'long.jsonl.gz': gzipSync(lines),
    });
    const before = await open();
    const data = await readBeir(folder);
    for (let i = 0; i < 5; i++) {
      for await (const _ of data.documents) break;
      for await (const _ of fileBytes(join(folder, 'long.jsonl.gz'))) break;
    }
    await all(data);
    expect(await open()).toBeLessThanOrEqual(before);
  });
});

test('SciFact as it comes with the sources: 5,183 abstracts, 300 judged queries, 339 judgements, all known', async () => {
  const data = await readBeir(fileURLToPath(new URL('../../../data/scifact', import.meta.url)));
  const documents = await all(data);
  expect(documents).toHaveLength(5183);
  expect(documents[0]).toMatchObject({
    id: '4983',
    title: expect.stringContaining('human newborn cerebral white matter'),
  });
  expect(data.queries).toHaveLength(300);
  expect([...data.qrels.values()].reduce((sum, judgements) => sum + judgements.size, 0)).toBe(339);
  expect(data.unknown).toEqual({ queries: 0, documents: 0 });
  const licence = await readFile(
    new URL('../../../data/scifact/LICENSE.md', import.meta.url),
    'utf8',
  );
  for (const words of ['CC BY 4.0', 'ODC-By', 'Wadden']) expect(licence).toContain(words);
});
