import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallColbert } from '../encoder/small-checkpoint.js';
import { runCli } from './run-cli.js';

const checkpoint = smallColbert();
const asked: { path: string; authorization: string | undefined }[] = [];
let server: Server;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-hub-model-'));
  server = createServer(({ url = '', headers: { authorization } }, response) => {
    asked.push({ path: url, authorization });
    const content = checkpoint[url.replace('/someone/colbert-small/resolve/main/', '')];
    if (content === undefined) response.writeHead(404).end();
    else response.end(content instanceof Uint8Array ? content : JSON.stringify(content));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  environment = {
    HF_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    HF_TOKEN: 'secret',
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
});
afterAll(() => rm(folder, { recursive: true }));

test('settings that were something else once, without a hash, are asked for again', async () => {
  const index = join(folder, 'again.lemur');
  const cache = { ...environment, XDG_CACHE_HOME: join(folder, 'other-cache') };
  const modules = checkpoint['modules.json'];
  checkpoint['modules.json'] = { error: 'sign in' };
  const add = () =>
    runCli(
      ['add', index, '-', '--model', 'someone/colbert-small'],
      undefined,
      cache,
      '{"id":"1","text":"red owls fly"}\n',
    );
  expect(await add()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('modules.json: expected an array of modules'),
  });
  checkpoint['modules.json'] = modules;
  expect(await add()).toMatchObject({ code: 0 });
  asked.splice(0);
});

test('a model is named by its id on the hub, fetched once, and found again without a network', async () => {
  const index = join(folder, 'small.lemur');
  const lines = '{"id":"1","text":"red owls fly"}\n{"id":"2","text":"a green bee"}\n';
  const added = await runCli(
    ['add', index, '-', '--model', 'someone/colbert-small'],
    undefined,
    environment,
    lines,
  );
  expect(added).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('fetch someone/colbert-small'),
  });
  expect(
    asked.every(
      ({ path, authorization }) =>
        path.startsWith('/someone/colbert-small/') && authorization === 'Bearer secret',
    ),
  ).toBe(true);
  expect(asked.filter(({ path }) => path.endsWith('/resolve/main/model.safetensors'))).toHaveLength(
    1,
  );
  await new Promise((resolve) => server.close(resolve));

  const info = await runCli(['info', index, '--json'], undefined, environment);
  expect(JSON.parse(info.stdout).encodedBy.model).toEqual({ hub: 'someone/colbert-small' });
  const found = await runCli(['search', index, 'green bees', '--json'], undefined, environment);
  expect(JSON.parse(found.stdout).hits).toHaveLength(2);

  const other = await runCli(
    ['add', join(folder, 'other'), '-', '--model', 'someone/else'],
    undefined,
    environment,
    lines,
  );
  expect(other).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /someone\/else: config\.json is not in .*cache.lemur.someone.else.main, and could not be downloaded: /,
    ),
  });
});
