import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lemur } from '../../dist/node.js';
import { writeNpy } from '../../src/formats/npy.js';
import { ndcgAt } from '../../src/search/metrics.js';
import { runCli, succeed } from './run-cli.js';
import { plainMaxSim, tokensOf, writeTokenFolder } from './token-data.js';

const documents = tokensOf(40, 6, 1);
const queries = tokensOf(5, 6, 2, () => 4);
const scores = plainMaxSim(queries, documents);
const idOf = (number: number): string => `page ${number}`;

interface Answer {
  query?: string;
  hits: { rank: number; score: number; id: string }[];
  times: Record<string, number>;
}

let folder: string;
let collection: string;
let several: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-search-'));
  collection = join(folder, 'collection');
  several = join(folder, 'queries.npy');
  const ids = documents.counts.reduce((text, _, i) => `${text}${idOf(i)}\n`, '');
  await writeTokenFolder(join(folder, 'source'), documents, { 'ids.txt': ids });
  await writeFile(several, writeNpy({ shape: [5, 4, 6], data: queries.vectors }));
  await writeFile(join(folder, 'one.npy'), writeNpy({ shape: [4, 6], data: queries.vectors.slice(0, 24) }));
  await succeed(['fit', join(folder, 'source'), '--out', collection, '--final-hidden-dim', '16', '--epochs', '2']);
});
afterAll(() => rm(folder, { recursive: true }));

/** The scores are those of the formula, the order is descending, and no document that is left out has a higher one. */
function expectExact({ hits }: Answer, query: number, k: number): void {
  const best = [...scores[query]].sort((a, b) => b - a);
  expect(hits.map(({ rank }) => rank)).toEqual(Array.from({ length: k }, (_, i) => i + 1));
  for (const [i, { id, score }] of hits.entries()) {
    expect(score).toBeCloseTo(best[i], 4);
    expect(score).toBeCloseTo(scores[query][Number(id.replace('page ', ''))], 4);
  }
}

describe('search with vectors', () => {
  test('prints ids and exact scores', async () => {
    const { stdout } = await succeed(['search', collection, '--vectors', join(folder, 'one.npy'), '-k', '2', '--exact']);
    expect(stdout).toMatch(
      /^query 0 {3}\([\d.]+ ms: exact MaxSim [\d.]+\)\n {2}1 +\d+\.\d{3} {2}page \d+\n {2}2 +\d+\.\d{3} {2}page \d+\n$/,
    );
  });

  test('--exact finds the top k of the formula; candidates of all documents find the same scores', async () => {
    for (const how of [['--exact'], ['--candidates', '40']]) {
      const { stdout } = await succeed(['search', collection, '--vectors', several, '-k', '3', '--json', ...how]);
      const answers = stdout
        .trimEnd()
        .split('\n')
        .map((line): Answer => JSON.parse(line));
      expect(answers.map(({ query }) => query)).toEqual(['0', '1', '2', '3', '4']);
      answers.forEach((answer, query) => {
        expectExact(answer, query, 3);
      });
    }
  });

  test('takes safetensors from standard input, and gives all documents when k is more than there are', async () => {
    const { bytes } = await succeed(['convert', join(folder, 'one.npy'), '-', '--format', 'npy']).catch(() => ({ bytes: undefined }));
    expect(bytes).toBeUndefined(); // of two dimensions: rows of several texts, or one text?
    const converted = await succeed(['convert', several, '-']);
    const { stdout } = await succeed(['search', collection, '--vectors', '-', '-k', '60', '--json'], converted.bytes);
    const [first] = stdout.split('\n').map((line) => line && JSON.parse(line));
    expectExact(first, 0, 40);
    expect(Object.keys(first.times)).toEqual(['candidates', 'rerank']);
  });

  test('ends quietly when its output is closed before the end', async () => {
    const many = tokensOf(3000, 6, 5, () => 2);
    await writeFile(join(folder, 'many.npy'), writeNpy({ shape: [3000, 2, 6], data: many.vectors }));
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const child = spawn(process.execPath, [main, 'search', collection, '--vectors', join(folder, 'many.npy')]);
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
  test('measures recall of the exact top k without judgements', async () => {
    const { stdout } = await succeed(['eval', collection, '--queries', several, '-k', '4', '--candidates', '4', '40', '--json']);
    const { rows, queries: measured, judged, pooledDeeper, encoding, latentDims } = JSON.parse(stdout);
    expect({ measured, judged, pooledDeeper, encoding, latentDims }).toEqual({
      ...{ measured: 5, judged: 0, pooledDeeper: null, encoding: null },
      latentDims: { trained: 16, random: null },
    });
    expect(rows.map(({ method }: { method: string }) => method)).toEqual(['exact MaxSim', "Lemur, k' = 4", "Lemur, k' = 40"]);
    const [exact, narrow, all] = rows;
    expect(exact).toMatchObject({ ndcg: null, recall: 1 });
    expect(all.recall).toBe(1);
    expect(narrow.recall).toBeLessThanOrEqual(1);
  });

  test('gives the nDCG of the formula where there are judgements', async () => {
    // one relevant document for each of two queries, by the ids that the files say
    const ids = ['first', 'second', 'third', 'fourth', 'fifth'];
    await writeTokenFolder(join(folder, 'asked'), queries, { 'ids.txt': ids.join('\n') });
    await writeFile(
      join(folder, 'qrels.tsv'),
      `query-id\tcorpus-id\tscore\nfirst\t${idOf(3)}\t1\nthird\t${idOf(11)}\t2\nfifth\t${idOf(0)}\t0\n`,
    );
    const args = [
      'eval',
      collection,
      '--queries',
      join(folder, 'asked'),
      '--qrels',
      join(folder, 'qrels.tsv'),
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
      const ranking = scores[query].map((score, number) => ({ score, number })).sort((a, b) => b.score - a.score || a.number - b.number);
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
      const { code, stderr } = await runCli(['eval', collection, ...args]);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await failure()).toContain('no queries came with it; name some with --queries');
    expect(await failure('--queries', several, '--qrels', join(folder, 'none.tsv'))).toContain('none.tsv: no such file');
    await writeFile(join(folder, 'q.jsonl'), '{"_id":"1","text":"what"}\n');
    expect(await failure('--queries', join(folder, 'q.jsonl'))).toContain('so questions must come as vectors too');
    expect(JSON.parse(await readFile(join(collection, 'collection.json'), 'utf8')).encoder).toBeNull();
  });
});

describe('prefixes', () => {
  const many = tokensOf(4100, 6, 7, () => 2);
  let large: string;
  beforeAll(async () => {
    large = join(folder, 'large');
    await writeTokenFolder(join(folder, 'many'), many);
    await succeed(['fit', join(folder, 'many'), '--out', large, '--final-hidden-dim', '16', '--epochs', '1', '--prefix-dim', '2']);
  });

  test('of the dimension asked for are saved, and info says so', async () => {
    const { lemur } = JSON.parse((await succeed(['info', large, '--json'])).stdout);
    expect(lemur).toMatchObject({ documents: 4100, latentDim: 16, prefixDim: 2, options: { prefixDim: 2 } });
    await succeed([
      'fit',
      join(folder, 'many'),
      '--out',
      join(folder, 'none'),
      '--final-hidden-dim',
      '16',
      '--epochs',
      '1',
      '--prefix-dim',
      '0',
    ]);
    expect(JSON.parse((await succeed(['info', join(folder, 'none'), '--json'])).stdout).lemur.prefixDim).toBe(0);
  });

  test('search takes the candidates of the scan that is asked for', async () => {
    const lemur = await Lemur.load(join(large, 'lemur'));
    const query = { data: queries.vectors.slice(0, 24), dims: [1, 4, 6] };
    const found: number[][] = [];
    for (const scan of ['prefix', 'full'] as const) {
      const args = ['search', large, '--vectors', join(folder, 'one.npy'), '-k', '15', '--candidates', '15', '--scan', scan, '--json'];
      const { hits } = JSON.parse((await succeed(args)).stdout) as Answer;
      found.push(hits.map(({ id }) => Number(id)).sort((a, b) => a - b));
      expect(found.at(-1)).toEqual([...(await lemur.candidates(query, 15, { scan })).indices].sort((a, b) => a - b));
    }
    expect(found[0]).not.toEqual(found[1]);
    lemur.close();
  });

  test('eval counts the bytes that each scan reads', async () => {
    const args = ['eval', large, '--queries', several, '-k', '5', '--candidates', '20', '1100'];
    const rowsOf = async (...more: string[]): Promise<Record<string, number>[]> =>
      JSON.parse((await succeed([...args, ...more, '--json'])).stdout).rows;
    const tokenBytes = many.vectors.byteLength;
    const weights = 4100 * 16 * 4;
    const all = { scannedBytes: weights, rescoredBytes: 0, totalBytes: weights + tokenBytes };
    const [exact, narrow, wide] = await rowsOf();
    expect(exact).toMatchObject({ scannedBytes: tokenBytes, rescoredBytes: 0, totalBytes: tokenBytes });
    // 4 x 20 codes of 16 bytes and a factor
    const codes = 16 + 4;
    expect(narrow).toMatchObject({ scannedBytes: 4100 * 2, rescoredBytes: 80 * codes, totalBytes: 4100 * (2 + codes) + tokenBytes });
    expect(wide).toMatchObject(all); // 4 x 1100 would be all documents
    for (const row of (await rowsOf('--scan', 'full')).slice(1)) expect(row).toMatchObject(all);
    const { stdout } = await succeed(args);
    expect(stdout).toMatch(/^Lemur, k' = 20 +- .* 2 +0 +70 +0\.3 MB$/m);
    expect(stdout).toContain('rescored the int8 codes of all features');
    expect((await succeed([...args, '--scan', 'full'])).stdout).toMatch(/^bytes: float32; .*\n/m);
  });
});
