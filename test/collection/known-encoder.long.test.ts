import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeManifest, encodeManifest } from '../../dist/collection/files/manifest-file.js';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { loadEncoder } from '../../dist/entry/node-encoder.js';
import { makeEarlier } from '../cli/earlier-index.js';
import { runCli } from '../cli/run-cli.js';
import { smallColbert, writeFiles } from '../encoder/small-checkpoint.js';
import { temporaryFolder } from '../temporary-folder.js';

const root = await temporaryFolder('known-encoder');
const at = (name: string): string => join(root, name);
const model = await writeFiles(at('model'), smallColbert());
const DOCUMENTS = [
  { id: '1', text: 'red owls fly' },
  { id: '2', text: 'a green bee' },
];
const QUESTION = 'green bees';
/** Token vectors of that question, as the index's encoder reads it. */
let asked: { data: Float32Array; dims: [number, number] };

const before = { ...process.env };
beforeAll(async () => {
  process.env.XDG_CACHE_HOME = at('cache');
  const encoder = await loadEncoder(model);
  const { vectors, counts, dim } = await encoder.encodeQuery([QUESTION]);
  asked = { data: vectors.slice(), dims: [counts[0], dim] };
  await encoder.close();
  const index = await Index.create(at('made'), { encoder: model, threads: 1 });
  await index.add(DOCUMENTS);
  await index.close();
});
afterAll(() => {
  process.env = before;
});

const answerOf = async (folder: string, options = {}): Promise<{ id: string; score: number }[]> => {
  const index = await Index.open(folder, { threads: 1, ...options });
  try {
    const { hits } = await index.search(QUESTION, { include: [] });
    return hits;
  } finally {
    await index.close();
  }
};
const byVectors = async (folder: string): Promise<{ id: string; score: number }[]> => {
  const index = await Index.open(folder, { threads: 1 });
  try {
    expect((await index.get('1'))?.text).toBe('red owls fly');
    return (await index.search(asked, { include: [] })).hits;
  } finally {
    await index.close();
  }
};
const environment = () => ({ XDG_CACHE_HOME: at('cache') });

test('an index answers questions with the encoder that it was made with, which nobody gives', async () => {
  const hits = await answerOf(at('made'));
  expect(hits).toEqual(await byVectors(at('made')));
  expect(hits).toHaveLength(2);
  await cp(at('made'), at('grown'), { recursive: true });
  const index = await Index.open(at('grown'), { write: true, threads: 1 });
  await index.add({ id: '3', text: DOCUMENTS[1].text });
  const scores = new Map((await index.search(QUESTION)).hits.map(({ id, score }) => [id, score]));
  await index.close();
  expect(scores.get('3')).toBeCloseTo(scores.get('2') ?? 0, 3);
});

test('no path of this machine is in it', async () => {
  for (const name of await readdir(at('made'))) {
    expect((await readFile(join(at('made'), name))).includes(root)).toBe(false);
  }
});

test('with encoder: false texts are refused, and all else goes on', async () => {
  const index = await Index.open(at('made'), { encoder: false, threads: 1 });
  await expect(index.search(QUESTION)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect((await index.search(asked)).hits).toHaveLength(2);
  await index.close();
});

test('the command line answers from an index that a program made, and the other way round', async () => {
  const found = await runCli(['search', at('made'), QUESTION, '--json'], undefined, environment());
  expect(found).toMatchObject({ code: 0 });
  const ids = (hits: { id: string }[]): string[] => hits.map(({ id }) => id);
  expect(ids(JSON.parse(found.stdout).hits)).toEqual(ids(await answerOf(at('made'))));

  const lines = DOCUMENTS.map((document) => JSON.stringify(document)).join('\n');
  const args = ['add', at('by-command'), '-', '--model', model];
  expect(await runCli(args, undefined, environment(), lines)).toMatchObject({ code: 0 });
  expect(await answerOf(at('by-command'))).toEqual(await answerOf(at('made')));
  expect(await readdir(at('by-command'))).not.toContain('encoder.json');
});

test('an index of an earlier command line answers, by what lies beside its files', async () => {
  await cp(at('by-command'), at('earlier'), { recursive: true });
  await makeEarlier(at('earlier'), { folder: model });
  expect(await answerOf(at('earlier'))).toEqual(await answerOf(at('made')));
});

test('a model that has moved is asked for, found where it is named, and remembered', async () => {
  await cp(model, at('first'), { recursive: true });
  // weights of its own, so that nothing else is remembered of them
  const settings = { ...(smallColbert()['config_sentence_transformers.json'] as object) };
  await writeFiles(at('first'), {
    'config_sentence_transformers.json': { ...settings, query_length: 9 },
  });
  const encoder = await loadEncoder(at('first'));
  await encoder.close();
  const index = await Index.create(at('moving'), { encoder: at('first'), threads: 1 });
  await index.add(DOCUMENTS);
  await index.close();
  await rename(at('first'), at('second'));
  await expect(answerOf(at('moving'))).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/first: no such folder.*option encoder/),
  });
  const reader = await Index.open(at('moving'), { threads: 1 });
  expect((await reader.get('2'))?.text).toBe('a green bee');
  await reader.close();
  const hits = await answerOf(at('moving'), { encoder: at('second') });
  expect(hits).toHaveLength(2);
  expect(await answerOf(at('moving'))).toEqual(hits);
  const found = await runCli(['search', at('moving'), QUESTION], undefined, environment());
  expect(found).toMatchObject({ code: 0 });
});

describe('another encoder is refused by what differs', () => {
  const refusal = async (folder: string, options: object): Promise<string> => {
    const failure = await answerOf(folder, options).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'encoder-mismatch' });
    return (failure as Error).message;
  };

  test('weights and settings of other contents', async () => {
    await cp(model, at('other'), { recursive: true });
    const settings = smallColbert()['config_sentence_transformers.json'] as object;
    await writeFiles(at('other'), {
      'config_sentence_transformers.json': { ...settings, query_length: 7 },
    });
    expect(await refusal(at('made'), { encoder: at('other') })).toMatch(
      /other contents of config_sentence_transformers\.json; length of a query 7, expected \d+/,
    );
    const encoder = await loadEncoder(at('other'));
    expect(await refusal(at('made'), { encoder })).toContain('length of a query 7');
    await encoder.close();
  });

  test('a projection', async () => {
    const { dims } = asked;
    const matrix = Float32Array.from({ length: dims[1] * dims[1] }, (_, i) => Math.sin(i));
    const encoder = await loadEncoder(model, { projection: { matrix, dim: dims[1] } });
    expect(await refusal(at('made'), { encoder })).toMatch(
      /: a projection of SHA-256 [0-9a-f]{64}, expected none$/,
    );
    const index = await Index.create(at('projected'), { encoder, threads: 1 });
    await index.add(DOCUMENTS);
    const { hits } = await index.search(QUESTION, { include: [] });
    await index.close();
    await encoder.close();
    expect(await answerOf(at('projected'))).toEqual(hits);
  });

  test('but for the precision of its products, with which it asks and adds nothing', async () => {
    const encoder = await loadEncoder(model, { precision: 'int8' });
    const index = await Index.open(at('made'), { encoder, write: true, threads: 1 });
    expect((await index.search(QUESTION)).hits).toHaveLength(2);
    await expect(index.add({ id: '4', text: 'an owl' })).rejects.toMatchObject({
      code: 'encoder-mismatch',
      message: expect.stringContaining('computes in int8: it may ask questions'),
    });
    expect(index.size).toBe(2);
    await index.close();
    await encoder.close();
  });
});

describe('a model of the hub', () => {
  const files = smallColbert();
  const paths: string[] = [];
  let server: Server;
  beforeAll(async () => {
    server = createServer(({ url = '' }, response) => {
      paths.push(url);
      const content = files[url.replace('/someone/small/resolve/main/', '')];
      if (content === undefined) response.writeHead(404).end();
      else response.end(content instanceof Uint8Array ? content : JSON.stringify(content));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const index = await Index.create(at('of-the-hub'), { encoder: 'someone/small', threads: 1 });
    await index.add(DOCUMENTS);
    await index.close();
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test('is downloaded by the first question, and by nothing before that', async () => {
    await rm(at('cache/lemur/someone'), { recursive: true });
    paths.splice(0);
    await byVectors(at('of-the-hub'));
    const index = await Index.open(at('of-the-hub'), { threads: 1 });
    expect(paths).toEqual([]);
    expect((await index.search(QUESTION)).hits).toHaveLength(2);
    expect(paths.length).toBeGreaterThan(0);
    await index.close();
    paths.splice(0);
    await answerOf(at('of-the-hub'));
    expect(paths).toEqual([]);
  });

  test('is refused where it is not the same any more', async () => {
    await rm(at('cache/lemur/someone'), { recursive: true });
    const settings = files['config_sentence_transformers.json'] as object;
    files['config_sentence_transformers.json'] = { ...settings, document_length: 7 };
    await expect(answerOf(at('of-the-hub'))).rejects.toMatchObject({
      code: 'encoder-mismatch',
      message: expect.stringContaining('length of a document 7'),
    });
    files['config_sentence_transformers.json'] = settings;
  });
});

test('an index of token vectors takes no model by its name', async () => {
  const storage = memoryStorage();
  await (await Index.create(storage, { dim: 4, threads: 1 })).close();
  await expect(Index.open(storage, { encoder: model, threads: 1 })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('made without an encoder'),
  });
});

test('a manifest that names what no model is called is damaged', async () => {
  const path = join(at('made'), 'index.json');
  const manifest = decodeManifest(await readFile(path), path);
  const names = [{ package: '../../elsewhere', version: '1' }, { hub: '../x' }, {}, null];
  for (const wrong of names) {
    const origin = { ...manifest.encoder?.origin, model: wrong };
    const encoder = { ...manifest.encoder, origin };
    await cp(at('made'), at('hostile'), { recursive: true });
    const bytes = encodeManifest({ ...manifest, encoder } as typeof manifest);
    await writeFile(join(at('hostile'), 'index.json'), bytes);
    await expect(Index.open(at('hostile'))).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('encoder.origin.model'),
    });
  }
});
