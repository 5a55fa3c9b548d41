import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Encoder, Index } from '../../dist/entry/node.js';
import { loadEncoder, type PoolingEncoder } from '../../dist/entry/node-encoder.js';
import { TEXTS } from './notes.js';
import { runCli, succeed } from './run-cli.js';

const DOCUMENTS = TEXTS.map((text, i) => ({ id: `text ${i}`, text }));
const QUESTION = 'Which animal sleeps hand in hand?';

let folder: string;
let encoder: PoolingEncoder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-default-encoder-'));
  encoder = await loadEncoder(undefined, { threads: 1 });
  const lines = DOCUMENTS.map(({ id, text }) => JSON.stringify({ _id: id, text }));
  await writeFile(join(folder, 'texts.jsonl'), lines.join('\n'));
});
afterAll(async () => {
  await encoder.close();
  await rm(folder, { recursive: true });
});

async function makeIndex(name: string, made: Encoder): Promise<string> {
  const path = join(folder, name);
  const index = await Index.create(path, { encoder: made, threads: 1 });
  await index.add(DOCUMENTS);
  await index.close();
  return path;
}

const ask = async (index: string): Promise<{ id: string; score: number }[]> =>
  JSON.parse((await succeed(['search', index, QUESTION, '--json'])).stdout).hits;

test('an index that a program made with the default encoder takes questions and texts', async () => {
  const path = await makeIndex('by-program', encoder);
  const before = await readdir(path);
  expect(before).not.toContain('encoder.json');
  const index = await Index.open(path, { encoder, threads: 1 });
  const { hits } = await index.search(QUESTION);
  await index.close();
  expect(hits[0].id).toBe('text 0');
  const answered = await ask(path);
  expect(answered.map(({ id }) => id)).toEqual(hits.map(({ id }) => id));
  for (const [i, { score }] of answered.entries()) expect(score).toBeCloseTo(hits[i].score, 3);
  expect(await readdir(path)).toEqual(before);

  const more = join(folder, 'more.jsonl');
  await writeFile(more, '{"_id": "new", "text": "Otters sleep hand in hand on the water."}');
  await succeed(['add', path, more]);
  const grown = await Index.open(path, { encoder, threads: 1 });
  expect((await grown.search(QUESTION)).hits[0].id).toBe('new');
  await grown.close();

  const other = await runCli(['add', path, more, '--max-tokens', '50']);
  expect(other.code).not.toBe(0);
  expect(other.stderr).toContain('--max-tokens 50');
  expect(other.stderr).toContain('was made with 180');
});

test('an index that `lemur add` made opens with the default encoder', async () => {
  const path = join(folder, 'by-command');
  await succeed(['add', path, join(folder, 'texts.jsonl')]);
  const index = await Index.open(path, { encoder, threads: 1 });
  const { hits } = await index.search(QUESTION);
  await index.close();
  expect(hits[0].id).toBe('text 0');
});

test('an index of an encoder that only resembles the default one takes vectors alone', async () => {
  const { id, origin, projection, ...rest } = encoder;
  const path = await makeIndex('of-another', { ...rest, id: 'bert-0000000000000000-180' });
  const { code, stderr } = await runCli(['search', path, QUESTION]);
  expect(code).not.toBe(0);
  expect(stderr).toContain('with an encoder of its own, bert-0000000000000000-180');
  expect(id).not.toBe('bert-0000000000000000-180');
});
