import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeFailure } from '../../dist/cli/failure.js';
import { openRun } from '../../dist/cli/run-state.js';
import { writeNpy } from '../../src/formats/npy.js';
import { runInProcess } from '../fuzz/run-in-process.js';
import { writeSmallCollection } from '../fuzz/small-collection.js';

let root: string;
let whole: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'lemur-damaged-'));
  whole = join(root, 'whole');
  await writeSmallCollection(whole);
});
afterAll(() => rmSync(root, { recursive: true }));

/** What `eval` writes to standard error for a copy of the collection that was changed. */
async function failure(change: (folder: string) => void): Promise<string> {
  const folder = join(root, 'damaged');
  rmSync(folder, { recursive: true, force: true });
  cpSync(whole, folder, { recursive: true });
  change(folder);
  const { exitCode, stdout, stderr } = await runInProcess(['eval', folder, '-k', '1', '--candidates', '2'], ['eval']);
  expect([exitCode, stdout]).toEqual([1, '']);
  return stderr.replace('evaluate …\n', '');
}

test('a collection that is whole is evaluated', async () => {
  const { exitCode, stdout } = await runInProcess(['eval', whole, '-k', '1', '--candidates', '2'], ['eval']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('exact MaxSim');
});

// biome-ignore lint/suspicious/noExplicitAny: each test changes it in a way that its type forbids
type Info = any;
const unprintable = { toString: 1, valueOf: 1 };

describe('one line names the file', () => {
  test.each<[string, (info: Info) => void, RegExp]>([
    ['no plan', (info) => delete info.plan, /"plan" is nothing/],
    ['a plan without the model of the encoder', (info) => delete info.plan.model, /"encoder" is {.*makes no sense/],
    ['a model of another kind', (info) => (info.plan.model = { folder: 5 }), /"plan" is/],
    ['a plan with something else in it', (info) => (info.plan.more = {}), /"plan" is/],
    ['options of the learning that are no numbers or words', (info) => (info.plan.learn = { seed: {} }), /"plan" is/],
    ['a stage with something else in it', (info) => (info.stages.fit.more = 1), /"stages" is/],
    ['no encoder', (info) => (info.encoder = null), /"encoder" is null/],
    ['a width of no dimension', (info) => (info.encoder.hidden = -1), /"encoder" is/],
    ['no counts', (info) => (info.counts = 'x'), /"counts" is "x"/],
    ['a count beyond integers', (info) => (info.counts.tokens = 1e300), /"tokens" is 1e\+300/],
    ['a stage without a time', (info) => (info.stages.fit = null), /"stages" is/],
    ['a part of a stage that is no number', (info) => (info.stages.fit.parts.training = {}), /"stages" is/],
    ['a version that cannot become a string', (info) => (info.version = unprintable), /format version {"toString":1,"valueOf":1}, this/],
  ])('for %s in collection.json', async (_what, change, message) => {
    const line = await failure((folder) => {
      const path = join(folder, 'collection.json');
      const info: Info = JSON.parse(readFileSync(path, 'utf8'));
      change(info);
      writeFileSync(path, JSON.stringify(info));
    });
    expect(line).toMatch(/^lemur: [^\n]+\/collection\.json: [^\n]+\n$/);
    expect(line).toMatch(message);
  });

  test.each([[-1], [0]])('for a text of %i tokens', async (count) => {
    const line = await failure((folder) =>
      writeFileSync(join(folder, 'counts.npy'), writeNpy({ shape: [4], data: Int32Array.of(2, count, 3, 1) })),
    );
    expect(line).toMatch(/^lemur: [^\n]+\/counts\.npy: text 1 of -?\d tokens, expected at least 1\n$/);
  });

  test.each(['collection.json', 'documents.jsonl', 'counts.npy'])('for a folder in place of %s', async (name) => {
    const line = await failure((folder) => {
      rmSync(join(folder, name));
      mkdirSync(join(folder, name));
    });
    expect(line).toMatch(new RegExp(`^lemur: [^\\n]+/${name}: a folder, expected a file[^\\n]*\\n$`));
  });

  test('for a file in place of a folder, and for a path that is too long', async () => {
    const line = await failure((folder) => {
      rmSync(join(folder, 'lemur'), { recursive: true });
      writeFileSync(join(folder, 'lemur'), '');
    });
    expect(line).toMatch(/^lemur: [^\n]+\/lemur: no saved model here[^\n]+\n$/);
    const { exitCode, stderr } = await runInProcess(['eval', 'x'.repeat(5000)], ['eval']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^lemur: x+\/collection\.json: no such file;[^\n]+\n$/);
  });

  test('with escapes for what would begin a new line or steer the terminal', async () => {
    const line = await failure((folder) => writeFileSync(join(folder, 'documents.jsonl'), 'x\u001b[31m\u0085\u2028y\n'));
    expect(line).toMatch(/not JSON: x\\u001b\[31m\\u0085\\u2028y\n$/);
    expect(describeFailure(new Error('a\nb')).line).toMatch(/^lemur: a\\u000ab\n/);
  });
});

test.each([
  'null',
  '{"plan":null,"stages":{}}',
  '{"plan":{},"stages":{}}',
  '{"plan":[],"stages":null}',
  '{"plan":{"model":5},"stages":{}}',
])('an unfinished run whose state is %s is a bad file', async (state) => {
  const folder = mkdtempSync(join(root, 'run-'));
  writeFileSync(join(folder, 'run.json'), state);
  const plan = { data: 'SciFact', documents: 1, model: { folder: 'x' }, maxTokens: 180 };
  await expect(openRun(folder, plan, false)).rejects.toMatchObject({ code: 'bad-file', fields: { where: join(folder, 'run.json') } });
});
