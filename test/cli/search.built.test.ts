import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNpy } from '../../dist/formats/npy/npy.js';
import { ndcgAt } from '../../dist/search/metrics.js';
import { runCli, succeed } from './run-cli.js';
import { plainMaxSim, tokensOf, writeTokenFolder } from './token-data.js';

const documents = tokensOf(40, 6, 1);
const queries = tokensOf(5, 6, 2, () => 4);
const scores = plainMaxSim(queries, documents);
const idOf = (number: number): string => `page ${number}`;

interface Answer {
  query?: string;
  hits: { score: number; id: string }[];
  how: { method: string; candidates: number; passing: number; documents: number };
  ms: number;
}

let folder: string;
let index: string;
let several: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-search-'));
  index = join(folder, 'index');
  several = join(folder, 'queries.npy');
  const lines = Array.from(documents.counts, (_, i) =>
    JSON.stringify({ id: idOf(i), text: '', metadata: { number: i } }),
  );
  await writeTokenFolder(join(folder, 'source'), documents, {
    'documents.jsonl': lines.join('\n'),
  });
  await writeFile(several, writeNpy({ shape: [5, 4, 6], data: queries.vectors }));
  await writeFile(
    join(folder, 'one.npy'),
    writeNpy({ shape: [4, 6], data: queries.vectors.slice(0, 24) }),
  );
  await succeed(['add', index, join(folder, 'source'), '--precision', 'float32']);
});
afterAll(() => rm(folder, { recursive: true }));

const search = async (...args: string[]): Promise<Answer[]> =>
  (await succeed(['search', index, '--json', '--vectors', several, ...args])).stdout
    .trimEnd()
    .split('\n')
    .map((line): Answer => JSON.parse(line));

describe('search with vectors', () => {
  test('prints ids and exact scores', async () => {
    const { stdout } = await succeed([
      'search',
      index,
      '--vectors',
      join(folder, 'one.npy'),
      '-k',
      '2',
      '--exact',
    ]);
    expect(stdout).toMatch(
      /^query 0 {3}\([\d.]+ ms, exact MaxSim of 40 documents\)\n {2}1 +\d+\.\d{3} {2}page \d+\n {2}2 +\d+\.\d{3} {2}page \d+\n$/,
    );
  });

  test('finds the top k of the formula', async () => {
    const answers = await search('-k', '3');
    expect(answers.map(({ query }) => query)).toEqual(['0', '1', '2', '3', '4']);
    for (const [query, { hits, how }] of answers.entries()) {
      const best = [...scores[query]].sort((a, b) => b - a);
      expect(hits).toHaveLength(3);
      for (const [i, { id, score }] of hits.entries()) {
        expect(score).toBeCloseTo(best[i], 4);
        expect(score).toBeCloseTo(scores[query][Number(id.replace('page ', ''))], 4);
      }
      expect(how).toEqual({ method: 'exact', candidates: 40, passing: 40, documents: 40 });
    }
  });

  test('looks among the documents that pass a filter alone', async () => {
    for (const { hits, how } of await search(
      '-k',
      '60',
      '--filter',
      '{"number":{"$gte":10,"$lt":15}}',
    )) {
      expect(hits.map(({ id }) => id).sort()).toEqual([10, 11, 12, 13, 14].map(idOf));
      expect(how).toMatchObject({ passing: 5, documents: 40 });
    }
  });

  test('takes safetensors from standard input', async () => {
    const { bytes } = await succeed(['convert', several, '-']);
    const { stdout } = await succeed(
      ['search', index, '--vectors', '-', '-k', '60', '--json'],
      bytes,
    );
    const first = JSON.parse(stdout.split('\n')[0]) as Answer;
    expect(first.hits).toHaveLength(40);
    expect(first.hits).toEqual((await search('-k', '60'))[0].hits);
  });

  test('ends quietly when its output is closed before the end', async () => {
    const many = tokensOf(3000, 6, 5, () => 2);
    await writeFile(
      join(folder, 'many.npy'),
      writeNpy({ shape: [3000, 2, 6], data: many.vectors }),
    );
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [
      main,
      'search',
      index,
      '--vectors',
      join(folder, 'many.npy'),
    ]);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('eval with vectors', () => {
  test('has the exact row alone where all searches are exact', async () => {
    const { stdout } = await succeed([
      'eval',
      index,
      '--queries',
      several,
      '-k',
      '4',
      '--candidates',
      '4',
      '40',
      '--json',
    ]);
    const { rows, queries: measured, judged, encoding, node } = JSON.parse(stdout);
    expect({ measured, judged, encoding, node }).toEqual({
      measured: 5,
      judged: 0,
      encoding: null,
      node: process.version,
    });
    expect(rows).toMatchObject([
      {
        method: 'exact MaxSim',
        numCandidates: null,
        ndcg: null,
        recall: 1,
        scannedBytes: 4.5 * 6 * 4,
      },
    ]);
    const shown = await succeed([
      'eval',
      index,
      '--queries',
      several,
      '-k',
      '4',
      '--candidates',
      '4',
    ]);
    expect(shown.stdout).toContain('Searches are exact, which is quick enough for 40 documents');
  });

  test('measures the recall of candidates, and what tune has found', async () => {
    const large = join(folder, 'large');
    const many = tokensOf(900, 6, 7, () => 2);
    await writeTokenFolder(join(folder, 'many'), many);
    await succeed([
      'fit',
      join(folder, 'many'),
      '--out',
      large,
      '--random-features',
      '--final-hidden-dim',
      '16',
      '--prefix-dim',
      '4',
    ]);
    await succeed(['tune', large, '--queries', several, '--recall', '0.3']);
    const { stdout } = await succeed([
      'eval',
      large,
      '--queries',
      several,
      '--candidates',
      '10',
      '400',
      '--json',
    ]);
    const { rows } = JSON.parse(stdout);
    expect(rows.map(({ method }: { method: string }) => method.replace(/\d+$/, ''))).toEqual([
      'exact MaxSim',
      "Lemur, k' = ",
      "Lemur, k' = ",
      "as tuned, k' = ",
    ]);
    const [exact, narrow, wide] = rows;
    expect(exact.scannedBytes).toBe(2 * 6);
    expect([narrow.scannedBytes, narrow.numCandidates, wide.numCandidates]).toEqual([4, 10, 400]);
    // by the formula, with tokens of a byte a value: ties aside the same documents
    const truth = plainMaxSim(queries, many).map((row) =>
      row
        .map((score, i) => [score, i])
        .sort((a, b) => b[0] - a[0])
        .slice(0, 10)
        .map(([, i]) => String(i)),
    );
    const found = (
      await succeed(['search', large, '--vectors', several, '--candidates', '400', '--json'])
    ).stdout
      .trimEnd()
      .split('\n');
    const shares = found.map(
      (line, q) =>
        (JSON.parse(line) as Answer).hits.filter(({ id }) => truth[q].includes(id)).length / 10,
    );
    expect(Math.abs(wide.recall - shares.reduce((sum, share) => sum + share, 0) / 5)).toBeLessThan(
      0.15,
    );
    expect(narrow.recall).toBeLessThanOrEqual(wide.recall);
  });

  test('gives the nDCG of the formula where there are judgements', async () => {
    // one relevant document for each of two queries, by the ids that the files say
    const ids = ['first', 'second', 'third', 'fourth', 'fifth'];
    await writeTokenFolder(join(folder, 'asked'), queries, { 'ids.txt': ids.join('\n') });
    const qrels = join(folder, 'qrels.tsv');
    await writeFile(
      qrels,
      `query-id\tcorpus-id\tscore\nfirst\t${idOf(3)}\t1\nthird\t${idOf(11)}\t2\n` +
        `fifth\t${idOf(0)}\t0\n`,
    );
    const args = [
      'eval',
      index,
      '--queries',
      join(folder, 'asked'),
      '--qrels',
      qrels,
      '-k',
      '40',
      '--candidates',
      '40',
    ];
    const { rows, judged } = JSON.parse((await succeed([...args, '--json'])).stdout);
    expect(judged).toBe(2);
    const expected = [
      [0, 3, 1],
      [2, 11, 2],
    ].map(([query, document, grade]) => {
      const ranking = scores[query]
        .map((score, number) => ({ score, number }))
        .sort((a, b) => b.score - a.score || a.number - b.number);
      return ndcgAt(
        ranking.map(({ number }) => idOf(number)),
        new Map([[idOf(document), grade]]),
        40,
      );
    });
    expect(rows[0].ndcg).toBeCloseTo((expected[0] + expected[1]) / 2, 6);
    const { stdout } = await succeed(args);
    expect(stdout).toContain('against the judgements of 2 queries.');
    expect(stdout).toMatch(/^exact MaxSim +0\.\d{3} +1\.000/m);
  });

  test('says what is missing', async () => {
    const failure = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await runCli(['eval', index, ...args]);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await failure()).toContain('no queries came with it; name some with --queries');
    expect(await failure('--queries', several, '--qrels', join(folder, 'none.tsv'))).toContain(
      'none.tsv: no such file',
    );
    await writeFile(join(folder, 'q.jsonl'), '{"_id":"1","text":"what"}\n');
    expect(await failure('--queries', join(folder, 'q.jsonl'))).toContain(
      'give vectors, not texts',
    );
  });
});
