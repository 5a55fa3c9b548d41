import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { readSafetensors, toFloat32 } from '../../dist/formats/safetensors/safetensors.js';
import { smallBert } from '../encoder/small-bert.js';
import { denseModule, tokenizerJson, writeFiles } from '../encoder/small-checkpoint.js';
import { makeNotes, type Notes, TEXTS } from './notes.js';
import { runCli, succeed } from './run-cli.js';

let folder: string;
let at: Notes['at'];
let options: Notes['options'];
let contents: Notes['contents'];
beforeAll(async () => {
  ({ folder, at, options, contents } = await makeNotes());
});
afterAll(() => rm(folder, { recursive: true }));

const IDS = ['0.md', '2.txt', 'deep/1.md', 'deep/3.txt'];

describe('add of texts', () => {
  test('a folder: paths are ids, the encoder is kept, whose vectors stay as wide as they are while they are few', async () => {
    const index = await Index.open(at('notes.lemur'));
    expect((await index.get(IDS)).map((document) => document?.text)).toEqual([
      TEXTS[0],
      TEXTS[2],
      TEXTS[1],
      TEXTS[3],
    ]);
    await index.close();
    expect((await readdir(at('notes.lemur'))).sort()).toEqual([
      'index.json',
      'keywords.2.safetensors',
      'segment.1.safetensors',
    ]);
    const { encoder, encodedBy, dim } = JSON.parse(
      (await succeed(['info', at('notes.lemur'), '--json'])).stdout,
    );
    expect(encodedBy).toEqual({
      model: { folder: 'bert' },
      maxTokens: 30,
      hidden: 48,
      dim: 48,
      narrowTo: 40,
    });
    expect({ dim, id: encoder.id }).toEqual({
      dim: 48,
      id: expect.stringMatching(/^bert-\w+-30$/),
    });
  });

  test('the default encoder brings its projection, whose leading columns make narrower ones: two sentences are enough', async () => {
    const lines = TEXTS.map((text, id) => JSON.stringify({ id, text }));
    await succeed(['add', at('two'), '-'], lines.slice(0, 2).join('\n'));
    const { stdout } = await succeed([
      'search',
      at('two'),
      '-k',
      '1',
      '--json',
      'which insects dance?',
    ]);
    expect(JSON.parse(stdout).hits[0]).toMatchObject({ id: '1' });
    await succeed(['add', at('one'), '-', '--dim', '24'], lines[0]);
    const [wide, narrow] = await Promise.all(
      ['two', 'one'].map(async (name) => {
        const file = await readFile(at(`${name}/projection.0.safetensors`));
        const entry = readSafetensors(file, name).tensors.get('projection')!;
        return { shape: entry.shape, data: toFloat32(entry, name) };
      }),
    );
    expect([wide.shape, narrow.shape]).toEqual([
      [384, 128],
      [384, 24],
    ]);
    for (let i = 0; i < 384; i++)
      expect(narrow.data.subarray(24 * i, 24 * (i + 1))).toEqual(
        wide.data.subarray(128 * i, 128 * i + 24),
      );
    // of unit length and at right angles to each other, up to int8
    const column = (j: number): number[] =>
      Array.from({ length: 384 }, (_, i) => Number(wide.data[128 * i + j]));
    for (const j of [0, 1, 64, 127]) {
      for (const k of [0, 1, 64, 127]) {
        const product = column(j).reduce((sum, x, i) => sum + x * column(k)[i], 0);
        expect(Math.abs(product - (j === k ? 1 : 0))).toBeLessThan(0.01);
      }
    }
  });

  test('vectors that are no wider than is asked for are taken as they are', async () => {
    await succeed(['add', at('wide'), at('notes'), ...options, '--dim', '64']);
    expect((await readdir(at('wide'))).sort()).toEqual([
      'index.json',
      'keywords.2.safetensors',
      'segment.1.safetensors',
    ]);
    expect(JSON.parse((await succeed(['info', at('wide'), '--json'])).stdout)).toMatchObject({
      dim: 48,
      encodedBy: { hidden: 48, dim: 48 },
    });
    expect((await succeed(['search', at('wide'), 'do owls turn?', '--json'])).stdout).toContain(
      'deep/3.txt',
    );
  });

  test('a late-interaction checkpoint says itself how texts are read', async () => {
    const dense = denseModule('1_Dense', 48, 8);
    const transformer = { type: 'sentence_transformers.models.Transformer', path: '' };
    await cp(at('bert'), at('colbert'), { recursive: true });
    await writeFiles(at('colbert'), {
      ...dense.files,
      'modules.json': [transformer, { type: 'pylate.models.Dense.Dense', path: '1_Dense' }],
      'config_sentence_transformers.json': {
        query_prefix: '[unused0]',
        document_prefix: '[unused1]',
        query_length: 12,
        document_length: 9,
      },
    });
    const { stdout } = await succeed([
      'add',
      at('colbert.lemur'),
      at('notes'),
      '--model',
      at('colbert'),
      '--no-passages',
    ]);
    expect(stdout).toContain('3 texts longer than the encoder reads');
    const { encoder, encodedBy, dim } = JSON.parse(
      (await succeed(['info', at('colbert.lemur'), '--json'])).stdout,
    );
    expect({ dim, encodedBy, id: encoder.id }).toEqual({
      dim: 8,
      encodedBy: { model: { folder: 'colbert' }, maxTokens: null, hidden: 8, dim: 8 },
      id: expect.stringMatching(/^colbert-\w{16}$/),
    });
    const found = await succeed(['search', at('colbert.lemur'), 'owls', '--evidence']);
    expect(found.stdout).toContain('.txt');
  });

  test('asks for what the encoder can give before anything is written', async () => {
    const { code, stderr } = await runCli([
      'add',
      at('begun'),
      at('notes'),
      '--model',
      at('bert'),
      '--max-tokens',
      '36',
    ]);
    expect([code, stderr]).toEqual([
      1,
      `lemur: --max-tokens 36: the model in ${at('bert')} takes texts of 35 tokens at most\n`,
    ]);
    expect(await readdir(folder)).not.toContain('begun');
    const other = await runCli(['add', at('notes.lemur'), at('notes'), '--max-tokens', '20']);
    expect(other.stderr).toMatch(/--max-tokens 20: .*notes\.lemur was made with 30/);
  });

  test('leaves no folder behind where the encoder cannot be had', async () => {
    const { json } = smallBert();
    await writeFiles(at('odd'), {
      'config.json': { ...json, model_type: 't5' },
      'model.safetensors': new Uint8Array(9),
    });
    await writeFiles(at('half'), {
      'config.json': json,
      'tokenizer.json': tokenizerJson,
      'model.safetensors': new Uint8Array(9),
    });
    const odd = await runCli(['add', at('nothing'), at('notes'), '--model', at('odd')]);
    expect(odd).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/model_type is "t5", supported: bert, .*ONNX/),
    });
    const half = await runCli(['add', at('nothing'), at('notes'), '--model', at('half')]);
    expect(half).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('model.safetensors: not a valid safetensors file'),
    });
    expect(await readdir(folder)).not.toContain('nothing');
  });

  test('encodes as many tokens as the model has positions for, where it has fewer than the default', async () => {
    await succeed(['add', at('short'), at('notes'), '--model', at('bert')]);
    const { encodedBy } = JSON.parse((await succeed(['info', at('short'), '--json'])).stdout);
    expect(encodedBy.maxTokens).toBe(35);
  });

  test('JSON lines on standard input make the index of the file with those lines', async () => {
    const lines = TEXTS.map((text, id) =>
      JSON.stringify({ id, title: `No. ${id}`, text, metadata: { number: id } }),
    ).join('\n');
    await succeed(['add', at('piped'), '-', ...options, '--dim', '16'], lines);
    await writeFile(at('lines.jsonl'), `${lines}\n{"id":"blank","text":""}\n`);
    await succeed([
      'add',
      at('lines'),
      at('lines.jsonl'),
      '--skip-empty',
      ...options,
      '--dim',
      '16',
    ]);
    expect(await contents('lines')).toEqual(await contents('piped'));
    const index = await Index.open(at('piped'));
    expect(await index.get('1')).toEqual({
      id: '1',
      text: `No. 1 ${TEXTS[1]}`,
      metadata: { number: 1, title: 'No. 1' },
    });
    await index.close();
    // the encoder is found again
    const { stdout } = await succeed(
      ['add', at('piped'), '-'],
      `${lines}\n{"id":"5","text":"Moles dig."}`,
    );
    expect(stdout).toContain('1 added, 4 skipped');
  });

  test('a BEIR folder gives eval its queries and judgements', async () => {
    await mkdir(at('beir/qrels'), { recursive: true });
    await writeFile(
      at('beir/corpus.jsonl'),
      TEXTS.map((text, i) => JSON.stringify({ _id: `d${i}`, title: 'Animals', text })).join('\n'),
    );
    await writeFile(
      at('beir/queries.jsonl'),
      '{"_id":"q1","text":"who dances"}\n{"_id":"q2","text":"not judged"}\n',
    );
    await writeFile(at('beir/qrels/dev.tsv'), 'query-id\tcorpus-id\tscore\nq1\td1\t1\n');
    await succeed(['add', at('beir.lemur'), at('beir'), ...options]);
    const evaluate = async (
      ...args: string[]
    ): Promise<Record<string, number & { median: number }>> =>
      JSON.parse(
        (
          await succeed([
            'eval',
            at('beir.lemur'),
            '-k',
            '4',
            '--candidates',
            '4',
            '--json',
            '--queries',
            ...args,
          ])
        ).stdout,
      );
    const { queries, judged, encoding } = await evaluate(at('beir'), '--split', 'dev');
    expect({ queries, judged }).toEqual({ queries: 1, judged: 1 });
    expect(encoding.median).toBeGreaterThan(0);
    expect(await evaluate(at('beir/queries.jsonl'))).toMatchObject({ queries: 2, judged: 0 });
  });
});
