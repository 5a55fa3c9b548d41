import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { wordEncoder } from '../collection/passage-encoder.js';
import { runCli, succeed } from './run-cli.js';

let folder: string;
let at: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-cli-keywords-'));
  at = join(folder, 'index');
  // an encoder that the command line cannot load
  await using index = await Index.create(at, { encoder: wordEncoder(), threads: 1 });
  await index.add([
    { id: 'code', text: 'It fails with ERR_MODULE_NOT_FOUND at once.' },
    { id: 'moon', text: 'The moon is bright.', metadata: { year: 1969 } },
    { id: 'module', text: 'A lunar module lands.', metadata: { year: 1969 } },
  ]);
});
afterAll(() => rm(folder, { recursive: true }));

describe('search --mode keywords', () => {
  test('loads no encoder, and shows which words matched', async () => {
    const { stdout } = await succeed([
      'search',
      at,
      'ERR_MODULE_NOT_FOUND',
      '--mode',
      'keywords',
      '--evidence',
    ]);
    expect(stdout).toMatch(/2 documents with a word of it among 3 documents/);
    expect(stdout.indexOf('code')).toBeLessThan(stdout.indexOf('A lunar'));
    expect(stdout).toContain('*ERR_MODULE_NOT_FOUND*');
    const filter = ['--filter', '{"year":{"$gt":1900}}', '--json'];
    const found = await succeed(['search', at, 'module', '--mode', 'keywords', ...filter]);
    const { hits, how } = JSON.parse(found.stdout);
    expect(hits.map(({ id }: { id: string }) => id)).toEqual(['module']);
    expect(how).toMatchObject({ mode: 'keywords', passing: 2 });
  });

  test.each([
    [['--mode', 'hybrid', '--vectors', 'x.npy'], "'--mode hybrid' cannot be used with option '--v"],
    [['q', '--mode', 'keywords', '--recall', '.9'], "'--mode keywords' cannot be used with option"],
    [['q', '--mode', 'words'], 'Allowed choices are meaning, keywords, hybrid'],
  ])('refuses %j', async (args, problem) => {
    const { code, stderr } = await runCli(['search', at, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
  });

  test('says which command makes keywords where there are none, and compact makes them', async () => {
    const stats = async (): Promise<unknown> =>
      JSON.parse((await succeed(['info', at, '--json'])).stdout).keywords;
    expect(await stats()).toMatchObject({ missing: 0 });
    await succeed(['compact', at, '--no-keywords']);
    expect(await stats()).toBeNull();
    const { code, stderr } = await runCli(['search', at, 'module', '--mode', 'keywords']);
    expect(code).toBe(1);
    expect(stderr).toContain('`lemur compact --keywords` makes them');
    await succeed(['compact', at]);
    expect(await stats()).toBeNull();
    await succeed(['compact', at, '--keywords']);
    expect((await succeed(['search', at, 'module', '--mode', 'keywords'])).stdout).toContain(
      'A lun',
    );
  });
});
