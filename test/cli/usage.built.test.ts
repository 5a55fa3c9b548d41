import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInProcess } from '../fuzz/run-in-process.js';
import { runCli } from './run-cli.js';

let folder: string;
let unused: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-cli-'));
  unused = join(folder, 'unused');
});
afterAll(() => rm(folder, { recursive: true }));

describe('usage errors exit with 2 and a suggestion', () => {
  test.each([
    [['serch', 'x'], /unknown command 'serch'\n\(Did you mean search\?\)/],
    [['demo', '--document', '5'], /unknown option '--document'\n\(Did you mean --documents\?\)/],
    [
      ['demo', '--documents', '0'],
      /'--documents <n>' argument '0' is invalid\. Expected a whole number of at least 1/,
    ],
    [['demo', '--threads', '1.5'], /argument '1\.5' is invalid/],
    [['demo', '--full', '--documents', '9'], /'--full' cannot be used with option '--documents/],
    [['search'], /missing required argument 'index'/],
    [
      ['search', 'folder', '-k', '0', 'x'],
      /'-k <n>' argument '0' is invalid\. Expected a whole number of at least 1/,
    ],
    [
      ['search', 'folder', 'x', '--exact', '--candidates', '20'],
      /'--exact' cannot be used with option '--candidates <n>'/,
    ],
    [
      ['search', 'folder', 'x', '--recall', '0.9', '--candidates', '20'],
      /'--candidates <n>' cannot be used with option '--recall <share>'/,
    ],
    [
      ['search', 'folder', 'x', '--recall', '1.5'],
      /argument '1\.5' is invalid\. Expected a number above 0 and at most 1/,
    ],
    [['search', 'folder', 'x', '--filter', '{year: 5}'], /Expected JSON, such as/],
    [['delete', 'folder'], /expected ids or --filter <json>, one of the two/],
    [
      ['delete', 'folder', 'a', '--filter', '{}'],
      /expected ids or --filter <json>, one of the two/,
    ],
    [['add', 'folder'], /missing required argument 'source'/],
    [
      ['fit', 'folder', '--epochs', '-1'],
      /argument '-1' is invalid\. Expected a whole number of at least 0/,
    ],
    [
      ['fit', 'folder', '--epochs', 'NaN'],
      /argument 'NaN' is invalid\. Expected a whole number of at least 0/,
    ],
    [
      ['fit', 'folder', '--seed', '9007199254740992'],
      /Expected a whole number of at most 9007199254740991/,
    ],
    [
      ['fit', 'folder', '--hidden-dim', '1e9'],
      /argument '1e9' is invalid\. Expected a whole number of at least 1/,
    ],
    [['fit', 'folder', '--lr', 'Infinity'], /Expected a number above 0/],
    [
      ['search', 'folder', 'x', '-k', '9999999999'],
      /Expected a whole number of at most 2147483647/,
    ],
    [
      ['search', 'folder', 'x', '--filter', '{"id":{"$in":[1,9007199254740993]}}'],
      /"id\.\$in\[1\]" is 9007199254740993, a whole number beyond 2\^53/,
    ],
    [['compact', ''], /Expected a path, got an empty one/],
    [['add', 'file:notes', 'x'], /file:notes; a file: URL has an absolute path/],
    [['help', 'serch'], /Usage: lemur/],
    [
      ['add', 'folder', 'x', '--precision', 'int3'],
      /Allowed choices are float32, int8, int4, int2/,
    ],
    [['add', 'folder', 'x', '--on-existing', 'ask'], /Allowed choices are error, skip, replace/],
    [
      ['search', 'folder', 'x', '--vectors', 'q.npy'],
      /a question cannot be used with option '--vectors'/,
    ],
    [
      ['fit', 'folder', '--out', 'x', '--lr', 'fast'],
      /argument 'fast' is invalid\. Expected a number above 0/,
    ],
    [
      ['fit', 'folder', '--out', 'x', '--activation', 'tanh'],
      /Allowed choices are gelu, relu, silu, mish/,
    ],
    [
      ['fit', 'folder', '--out', 'x', '--epochs', '3', '--random-features'],
      /'--random-features' cannot be used with option '--epochs <n>'/,
    ],
    [['eval', 'folder', '--qrels', 'q.tsv'], /'--qrels <file>' needs '--queries <path>'/],
    [['bench', 'folder', '--qrels', 'q.tsv'], /'--qrels <file>' needs '--queries <path>'/],
    [['bench', 'folder', '--force'], /'--force' needs '--plot <file>'/],
    [['bench', 'folder', '--recall', '2'], /Expected a number above 0 and at most 1/],
    [['info'], /missing required argument 'path'/],
    [['convert', 'from'], /missing required argument 'to'/],
    [
      ['convert', 'from', 'to', '--format', 'parquet'],
      /Allowed choices are folder, npy, safetensors/,
    ],
    [['eval', 'folder', '--candidates', '50', 'many'], /argument 'many' is invalid/],
  ])('%j', async (args, message) => {
    const { exitCode, stdout, stderr } = await runInProcess(args, [args[0]]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });
});

test('--text without --json, and a question that is empty, are wrong usage', async () => {
  for (const [args, said] of [
    [['bees', '--text'], "option '--text' needs option '--json'"],
    [[' '], 'the question is empty; without one questions are asked for'],
  ] as const) {
    const { code, stderr } = await runCli(['search', folder, ...args]);
    expect([code, stderr]).toEqual([2, `error: ${said}\n`]);
  }
});

describe('our own errors exit with 1 and one line', () => {
  const oneLine = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^lemur: [^\n]+\n$/);
    return stderr;
  };

  test('a folder that is not there', async () => {
    for (const args of [
      ['search', 'anything'],
      ['eval', '--queries', folder],
      ['verify'],
      ['compact'],
      ['tune'],
      ['delete', 'id'],
    ]) {
      const [command, ...rest] = args;
      const { stderr, code } = await runCli([command, join(folder, 'nowhere'), ...rest]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/lemur: \S+nowhere: no index here; `lemur add` makes one\n$/),
      ]);
    }
  });

  test('an index that does not come first', async () => {
    const own = await mkdtemp(join(tmpdir(), 'lemur-cli-'));
    const [index, texts] = [join(own, 'my.lemur'), join(own, 'texts')];
    await mkdir(index);
    await mkdir(texts);
    await writeFile(join(index, 'index.json'), '{ "lemur-index": 1 }');
    await writeFile(join(texts, 'a.md'), 'A.');
    for (const [args, said] of [
      [['search', 'which bees', index], `lemur search ${index} "which bees"`],
      [['add', texts, index], `lemur add ${index} ${texts}`],
      [['add', texts, `${index}2`], `lemur add ${index}2 ${texts}`],
    ] as const)
      expect(await oneLine(args)).toContain(`; the index comes first: ${said}\n`);
    // one that has an index.json of another kind is no index
    await writeFile(join(texts, 'index.json'), '{"pages":[]}');
    const { code, stdout } = await runCli(['add', `${index}2`, texts, '--dry-run']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('add    index.json')]);
    await rm(own, { recursive: true });
  });

  test("k' below k, before anything is read", async () => {
    expect(await oneLine(['search', folder, 'anything', '--candidates', '5'])).toContain(
      '--candidates 5 is below -k 10',
    );
    expect(await oneLine(['eval', folder, '-k', '60'])).toContain('--candidates 50 is below -k 60');
  });

  test('a model folder that is not there', async () => {
    expect(
      await oneLine([
        'demo',
        '--documents',
        '3',
        '--out',
        unused,
        '--model',
        join(folder, 'no-model'),
      ]),
    ).toContain('no-model');
  });

  test('more documents than there are', async () => {
    expect(await oneLine(['demo', '--documents', '6000', '--out', unused])).toContain(
      'SciFact has 5183 documents',
    );
  });

  test("a folder with somebody's own things", async () => {
    await writeFile(join(folder, 'tokens.npy'), 'mine');
    expect(await runCli(['demo', '--documents', '3', '--out', folder])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has other things in it'),
    });
    expect(await readdir(folder)).toEqual(['tokens.npy']);
  });

  test('LEMUR_DEBUG=1 adds the stack', async () => {
    const { code, stderr } = await runCli(['eval', join(folder, 'nowhere')], undefined, {
      LEMUR_DEBUG: '1',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('    at ');
  });
});
