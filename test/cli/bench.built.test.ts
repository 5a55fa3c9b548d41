import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { LEARN } from '../collection/small-collection.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli, succeed } from './run-cli.js';
import { plainMaxSim, tokensOf, writeTokenFolder } from './token-data.js';

const DIM = 8;
const folder = await temporaryFolder('bench');
const at = (name: string): string => join(folder, name);
const documents = tokensOf(60, DIM, 1);
const queries = tokensOf(4, DIM, 2);
const scores = plainMaxSim(queries, documents);
/** Of each query the document with the largest score. */
const best = scores.map((row) => row.indexOf(Math.max(...row)));
const asked = ['bench', at('index'), '--queries', at('queries'), '--candidates', '10', '30'];

beforeAll(async () => {
  const made = { dim: DIM, threads: 1, precision: 'float32', features: 'random' } as const;
  await using index = await Index.create(at('index'), made);
  let row = 0;
  const texts = Array.from(documents.counts, (count, i) => {
    const data = documents.vectors.slice(row * DIM, (row + count) * DIM);
    row += count;
    return { id: `d${i}`, tokens: { data, dims: [count, DIM] } };
  });
  await index.add(texts);
  await index.fit(LEARN);
  await writeTokenFolder(at('queries'), queries);
  await writeFile(at('judged.tsv'), best.map((document, q) => `${q}\td${document}\t1\n`).join(''));
});

describe('bench', () => {
  test('prints a table and one line of advice, and writes a plot', async () => {
    const qrels = ['--qrels', at('judged.tsv'), '--plot', at('plots/own.svg')];
    const { stdout } = await succeed([...asked, ...qrels, '--threads', '1']);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('60 documents, vectors of 8 (float32), 4 queries');
    expect(lines[1]).toMatch(/, 1 thread, Node \d/);
    expect(lines[3]).toMatch(/^search +k' +recall@10 +nDCG@10 +median ms +p95 ms +B\/document/);
    expect(stdout).toMatch(/^exact MaxSim, float32 +- +1\.000 +1\.000 +[\d.]+ +[\d.]+ +- +32$/m);
    expect(stdout).toMatch(/^one pooled vector alone +- +0\.\d+ /m);
    expect(lines.at(-1)).toMatch(/^Advice: stay with exact search: .*so few documents anyway[;.]/);
    const svg = await readFile(at('plots/own.svg'), 'utf8');
    expect(svg).toMatch(/^<svg [\s\S]*>exact MaxSim, float32<[\s\S]*<\/svg>\n$/);
    // it is not replaced by mistake
    const again = await runCli([...asked, ...qrels]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('--force replaces it')]);
  });

  test('prints JSON that says what it was run on', async () => {
    const { stdout } = await succeed([...asked, '--json', '--seed', '5', '-k', '2']);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({
      ...{ index: at('index'), node: process.version, seed: 5, k: 2, method: 'exact' },
      ...{ queries: 4, judged: 0, missing: { queries: 0, documents: 0 } },
    });
    expect(told.machine.threads).toBeGreaterThan(0);
    expect(told.rows[0]).toMatchObject({ recall: 1, ndcg: null });
    expect(told.text).not.toContain('\n');
  });

  test('says that no queries came with an index, before anything is computed', async () => {
    const { code, stderr } = await runCli(['bench', at('index')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('name some with --queries')]);
  });

  test('refuses fewer candidates than results', async () => {
    const { code, stderr } = await runCli([...asked, '-k', '20']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('--candidates 10 is below -k 20')]);
  });
});
