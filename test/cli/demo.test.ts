import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy } from '../../src/formats/npy.js';
import { type Outcome, runCli } from './run-cli.js';

const FILES = [
  'collection.json',
  'counts.npy',
  'documents.jsonl',
  'lemur',
  'pooled.npy',
  'projection.npy',
  'qrels.tsv',
  'queries.jsonl',
  'query-counts.npy',
  'query-pooled.npy',
  'query-tokens.npy',
  'random',
  'tokens.npy',
];

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

const demoOf = (out: string, ...more: string[]): string[] => ['demo', '--documents', String(DOCUMENTS), '--out', out, ...more];

describe('the demo', () => {
  test('says what it chose, prints the table, answers questions and gives its times', () => {
    expect(first.code).toBe(0);
    const { stdout } = first;
    expect(stdout).toContain(`SciFact: ${DOCUMENTS} abstracts (all judged relevant to a query)`);
    for (const row of ['exact MaxSim', "Lemur, k' = 50", "Lemur, k' = 200", "random features, k' = 100", 'pooled single vector']) {
      expect(stdout).toMatch(new RegExp(`^${row} +\\d\\.\\d{3} +\\d\\.\\d{3} +\\d+\\.\\d\\d`, 'm'));
    }
    expect(stdout).toMatch(/The first answer, [\d.]+ s after the start/);
    expect(stdout.match(/ms: encode /g)).toHaveLength(4);
    expect(stdout).toMatch(/Times: texts [\d.]+ s, projection .*encode .*queries .*fit .*random features .*evaluate .*questions .*total/);
  });

  test('reports each stage at its start and its end where there is no terminal', () => {
    for (const stage of ['encode documents', 'fit the reduction', 'evaluate']) {
      expect(first.stderr).toContain(`${stage} …\n`);
      expect(first.stderr).toMatch(new RegExp(`^${stage}: [\\d.]+ s`, 'm'));
    }
    expect(first.stderr).not.toContain('\u001b');
  });

  test('leaves the files that it says, and nothing of its way there', async () => {
    expect((await readdir(small)).sort()).toEqual(FILES);
    const { counts, encoder } = JSON.parse(await readFile(join(small, 'collection.json'), 'utf8'));
    const read = async (name: string): Promise<ReturnType<typeof readNpy>> => readNpy(await readFile(join(small, name)), name);
    expect((await read('tokens.npy')).shape).toEqual([counts.tokens, encoder.dim]);
    expect((await read('pooled.npy')).shape).toEqual([DOCUMENTS, encoder.hidden]);
    expect((await read('projection.npy')).shape).toEqual([encoder.hidden, encoder.dim]);
    const lengths = await read('counts.npy');
    expect(Array.from(lengths.data).reduce((sum, n) => sum + n, 0)).toBe(counts.tokens);
  });

  test('takes what is on disk the second time', async () => {
    const before = await readFile(join(small, 'tokens.npy'));
    const { code, stdout, stderr } = await runCli(demoOf(small));
    expect(code).toBe(0);
    expect(stdout).toContain(`Going on with what is in ${small}`);
    for (const stage of ['encode documents', 'fit the reduction', 'random features, for comparison'])
      expect(stderr).toContain(`${stage}: done before`);
    expect(stderr).not.toContain('encode documents …');
    expect(await readFile(join(small, 'tokens.npy'))).toEqual(before);
  });

  test('refuses a folder that was made otherwise', async () => {
    const { code, stderr } = await runCli(['demo', '--documents', '9', '--out', small]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/was made with 8 documents .* not 9 .* --fresh/);
  });
});

describe('search', () => {
  test('answers from the folder', async () => {
    const { code, stdout } = await runCli(['search', small, 'what does folic acid do for the arteries', '-k', '3']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}1 +\d+\.\d{3} {2}Folic acid improves endothelial function/m);
    expect(stdout).not.toMatch(/^ {2}4 /m);
  });

  test('as JSON, the words of the question joined, best first', async () => {
    const { code, stdout } = await runCli(['search', small, '--json', '-k', '5', 'birth', 'weight']);
    expect(code).toBe(0);
    const { question, hits } = JSON.parse(stdout);
    expect(question).toBe('birth weight');
    expect(hits.map((hit: { rank: number }) => hit.rank)).toEqual([1, 2, 3, 4, 5]);
    const scores = hits.map((hit: { score: number }) => hit.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(hits[0]).toMatchObject({ id: expect.any(String), title: expect.any(String), text: expect.any(String) });
  });

  test('gives all documents when k is more than there are', async () => {
    const { code, stdout } = await runCli(['search', small, '--json', '-k', '50', 'anything at all']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).hits).toHaveLength(DOCUMENTS);
  });
});

describe('eval', () => {
  test('--json has every row, the machine, the encoder and the stages', async () => {
    const { code, stdout } = await runCli(['eval', small, '--json', '-k', '5', '--candidates', '5', '8']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      k: 5,
      node: process.version,
      machine: { cpu: expect.any(String), threads: expect.any(Number) },
      encoder: { id: expect.stringMatching(/^bert-/), dim: 128, hidden: 384 },
      collection: { counts: { documents: DOCUMENTS } },
      stages: { fit: { seconds: expect.any(Number) } },
      encoding: { median: expect.any(Number), p95: expect.any(Number) },
    });
    const rows: { method: string; numCandidates: number | null; ndcg: number; recall: number; scannedBytes: number; totalBytes: number }[] =
      report.rows;
    expect(rows.map(({ method }) => method)).toEqual([
      'exact MaxSim',
      "Lemur, k' = 5",
      "Lemur, k' = 8",
      "random features, k' = 5",
      "random features, k' = 8",
      'pooled single vector',
    ]);
    const [exact, narrow, wide] = rows;
    expect(exact).toMatchObject({ recall: 1, numCandidates: null, scannedBytes: exact.totalBytes });
    expect(exact.ndcg).toBeGreaterThan(0.8);
    expect(wide.recall).toBeGreaterThanOrEqual(narrow.recall);
    expect(wide.scannedBytes).toBe(DOCUMENTS * 1024 * 4);
    expect(wide.totalBytes).toBe(wide.scannedBytes + exact.totalBytes);
    expect(rows[5].totalBytes).toBe(DOCUMENTS * 384 * 4);
  });

  test('names a file that is missing, truncated or of another collection', async () => {
    const broken = join(folder, 'broken');
    const failure = async (change: () => Promise<void>): Promise<string> => {
      await rm(broken, { recursive: true, force: true });
      await cp(small, broken, { recursive: true });
      await change();
      const { code, stderr } = await runCli(['eval', broken]);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await failure(() => rm(join(broken, 'tokens.npy')))).toContain('tokens.npy: no such file');
    expect(await failure(() => truncate(join(broken, 'tokens.npy'), 5000))).toMatch(/tokens\.npy: .* truncated/);
    expect(await failure(() => cp(join(broken, 'projection.npy'), join(broken, 'pooled.npy')))).toMatch(
      /lemur: .*pooled\.npy: f4 384 x 128, expected f4 8 x 384/,
    );
    expect(await failure(() => writeFile(join(broken, 'collection.json'), '{"format": 1}'))).toContain(
      'collection.json: not the description of a collection',
    );
    expect(await failure(() => writeFile(join(broken, 'documents.jsonl'), '{"_id":"1","text":"x"}\n'))).toContain(
      'documents.jsonl: 1 lines, expected 8',
    );
    expect(await failure(() => rm(join(broken, 'lemur'), { recursive: true }))).toContain(join(broken, 'lemur'));
  });
});

describe('Ctrl-C', () => {
  test('leaves nothing half-written, again and again, and the last run completes with the bytes of one that was left alone', async () => {
    const out = join(folder, 'interrupted');
    for (const [stage, finished] of [
      ['encode a sample, find the projection', ['documents.jsonl']],
      ['fit the reduction', ['documents.jsonl', 'projection.npy', 'tokens.npy', 'query-tokens.npy']],
    ] as const) {
      let sent = false;
      const interrupted = await runCli(demoOf(out), (child, stderr) => {
        if (sent || !stderr.includes(`${stage} …`)) return;
        sent = true;
        setTimeout(() => child.kill('SIGINT'), 300);
      });
      expect(interrupted.stderr).toMatch(/\ninterrupted\n$/);
      expect(interrupted.code).toBe(130);
      const names = await readdir(out);
      expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
      expect(names).toEqual(expect.arrayContaining([...finished]));
      expect(names).not.toContain('collection.json');
    }
    const early = await runCli(['search', out, 'anything']);
    expect(early.code).toBe(1);
    expect(early.stderr).toContain('has not finished');

    const last = await runCli(demoOf(out));
    expect(last.code).toBe(0);
    expect(last.stderr).toContain('encode documents: done before');
    expect((await readdir(out)).sort()).toEqual(FILES);
    for (const name of ['tokens.npy', 'pooled.npy', 'projection.npy']) {
      expect(await readFile(join(out, name))).toEqual(await readFile(join(small, name)));
    }
  }, 120_000);
});
