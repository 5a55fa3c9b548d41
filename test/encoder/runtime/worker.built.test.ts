import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../cli/run-cli.js';
import { smallColbert, writeFiles } from '../small-checkpoint.js';

const root = await mkdtemp(join(tmpdir(), 'lemur-worker-'));
afterAll(() => rm(root, { recursive: true }));

const model = await writeFiles(join(root, 'model'), smallColbert());

test("a question of any length on the command line is answered, and nothing of it stays in the user's folders", async () => {
  const home = join(root, 'home');
  await mkdir(home);
  const environment = { HOME: home, XDG_CACHE_HOME: join(home, 'caches') };
  const index = join(root, 'small.lemur');
  const lines = '{"id":"1","text":"red owls fly"}\n{"id":"2","text":"a green bee"}\n';
  const added = await runCli(['add', index, '-', '--model', model], undefined, environment, lines);
  expect(added).toMatchObject({ code: 0 });
  for (const length of [16_384, 131_000]) {
    const found = await runCli(
      ['search', index, `red owls ${'x'.repeat(length - 9)}`, '--json'],
      undefined,
      environment,
    );
    expect(found).toMatchObject({ code: 0 });
    expect(JSON.parse(found.stdout).hits).toHaveLength(2);
  }
  // that merged kernels passed their check may be kept, and where the model is
  const written = await readdir(home, { recursive: true, withFileTypes: true });
  const files = written.filter(
    (entry) => entry.isFile() && !/(merged-kernels|folders)$/.test(entry.parentPath),
  );
  expect(files).toEqual([]);
});
