import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../../src/encoder/checkpoint/checkpoint.js';
import { folderFiles } from '../../../src/encoder/files/node-files.js';
import { tokenizePrompted } from '../../../src/encoder/text/prompted-text.js';
import { PLAIN, type TextRecipe } from '../../../src/encoder/text/recipe.js';
import { loadTokenizer } from '../../../src/encoder/text/tokenizer.js';
import { isLemurError } from '../../../src/errors.js';
import { smallBert } from '../small-bert.js';
import { denseModule, ids, smallColbert, tokenizerJson, writeFiles } from '../small-checkpoint.js';

const root = await mkdtemp(join(tmpdir(), 'lemur-layouts-'));
afterAll(() => rm(root, { recursive: true }));
let folders = 0;
const open = async (files: Record<string, unknown>) =>
  openCheckpoint(
    await folderFiles(await writeFiles(join(root, String(folders++)), files)),
    'float32',
  );

const bert = smallBert();
const native = (...modules: { type: string; path: string }[]) => ({
  'config.json': bert.json,
  'model.safetensors': bert.file,
  'modules.json': [
    { type: 'x.Transformer', path: '' },
    { type: 'x.MultiVectorMask', path: '2_Mask' },
    ...modules,
  ],
  'sentence_bert_config.json': {},
});

describe('the settings of a checkpoint', () => {
  test('a prompt stands behind the marker of PyLate, which it may repeat', async () => {
    const prompts = { query: '[Q] represent this: ', document: 'passage: ' };
    const { settings } = await open({
      ...smallColbert(),
      'config_sentence_transformers.json': {
        query_prefix: '[Q] ',
        document_prefix: '[D] ',
        prompts,
      },
    });
    expect(settings?.query).toMatchObject({
      marker: '[Q] ',
      prompt: 'represent this: ',
      strip: true,
    });
    expect(settings?.document).toMatchObject({ marker: '[D] ', prompt: 'passage: ', strip: true });
  });

  test('a prompt does not repeat the marker that PyLate takes where none is named', async () => {
    const { settings } = await open({
      ...smallColbert(),
      'config_sentence_transformers.json': {
        query_length: 32,
        prompts: { query: '[Q] find: ', document: '[D] ' },
      },
    });
    expect(settings?.query).toMatchObject({ marker: '[Q] ', prompt: 'find: ' });
    expect(settings?.document).toMatchObject({ marker: '[D] ', prompt: '' });
  });

  test.each([['find: '], [5], [['a']], [true]])(
    'prompts that are %j are refused, in both layouts',
    async (prompts) => {
      for (const [files, others] of [
        [native(), {}],
        [smallColbert(), { query_prefix: '[Q] ' }],
      ]) {
        const error = await open({
          ...files,
          'config_sentence_transformers.json': { ...others, prompts },
        }).catch((e: unknown) => e);
        expect(isLemurError(error, 'bad-file') && error.message).toContain('prompts is');
      }
    },
  );

  test.each([
    [{ document: 'd: ', passage: 'p: ' }, 'd: '],
    // Sentence Transformers 6 has a document prompt for every model, the empty one, and takes no
    // other
    [{ passage: 'p: ', corpus: 'c: ' }, ''],
    [{ document: null, corpus: 'c: ' }, ''],
    [{ other: 'o: ' }, ''],
  ])('the prompt of documents among %j is %j', async (prompts, prompt) => {
    const { settings } = await open({
      ...native(),
      'config_sentence_transformers.json': { prompts },
    });
    expect(settings?.document).toMatchObject({ prompt, strip: false });
  });

  test.each([
    [undefined, false],
    [[{}], true],
    [[{ module_input_name: 'token_embeddings' }], true],
    [[{ module_input_name: 'sentence_embedding' }], false],
    [
      [{ module_input_name: 'sentence_embedding' }, { module_input_name: 'token_embeddings' }],
      true,
    ],
  ])('modules that normalise %j: vectors of unit length %s', async (configs, normalize) => {
    const modules = (configs ?? []).map((_, i) => ({
      type: 'x.Normalize',
      path: `${i + 3}_Normalize`,
    }));
    // an older version writes no configuration
    const files = (configs ?? []).flatMap((config, i) =>
      Object.keys(config).length > 0 ? [[`${i + 3}_Normalize/config.json`, config] as const] : [],
    );
    const { settings } = await open({ ...native(...modules), ...Object.fromEntries(files) });
    expect(settings?.normalize).toBe(normalize);
  });

  test('a module that merges tokens by another distance than ours is refused, and one that merges none is fine', async () => {
    const pooled = (config: object) => ({
      ...native({ type: 'x.HierarchicalTokenPooling', path: '3_Pooling' }),
      '3_Pooling/config.json': config,
    });
    const error = await open(pooled({ pool_factor: 2 })).catch((reason: unknown) => reason);
    expect(isLemurError(error, 'unsupported') && error.message).toMatch(
      /pool_factor is 2, supported: 1; .*\{ pooling: 2 \}/,
    );
    expect(
      (await open(pooled({ pool_factor: 1, normalize_embeddings: true }))).settings?.normalize,
    ).toBe(true);
  });

  test("an exporter's settings may lie in config_sentence_transformers.json, without a config.json", async () => {
    const settings = {
      query_prefix: '[Q] ',
      document_prefix: '[D] ',
      embedding_dim: 7,
      query_length: 32,
      document_length: 300,
    };
    const files = {
      'config_sentence_transformers.json': settings,
      'tokenizer.json': tokenizerJson,
    };
    const checkpoint = await open({ ...files, 'model.onnx': new Uint8Array(8) });
    expect(checkpoint).toMatchObject({
      layout: 'onnx',
      dim: 7,
      positions: 300,
      body: { kind: 'onnx', finished: true },
    });
    await expect(open(files)).rejects.toThrow(/no model\.onnx; found/);
  });

  test('a config.json may call the width dim, as that of DistilBERT does', async () => {
    const config = {
      model_type: 'distilbert',
      dim: 48,
      vocab_size: 21,
      max_position_embeddings: 40,
    };
    const { 'model.safetensors': _, ...files } = smallColbert();
    const checkpoint = await open({
      ...files,
      ...denseModule('1_Dense', 48, 6).files,
      'config.json': config,
      'model.onnx': new Uint8Array(8),
    });
    expect(checkpoint).toMatchObject({ hidden: 48, dim: 6, positions: 40 });
  });
});

describe('a prompt and a text', () => {
  const recipe = (change: Partial<TextRecipe>): TextRecipe => ({
    ...PLAIN,
    special: true,
    ...change,
  });
  const read = async (
    change: Partial<TextRecipe>,
    text: string,
    json: object = tokenizerJson,
    reading = {},
  ) => {
    const tokenizer = await loadTokenizer(json, {}, 1e6, 'tokenizer.json', reading);
    const { ids: found, spans } = tokenizePrompted(tokenizer, recipe(change), text, 100);
    return { tokens: [...found], spans: [...(spans ?? [])] };
  };

  test('are tokenized as one text, and places are those in the text', async () => {
    expect(await read({ prompt: 'owl' }, 's fly')).toEqual({
      tokens: [ids.owl, ids['##s'], ids.fly],
      spans: [0, 0, 0, 1, 2, 5],
    });
    expect(await read({ prompt: 'q: ' }, 'bee')).toEqual({
      tokens: [ids.q, ids[':'], ids.bee],
      spans: [0, 0, 0, 0, 0, 3],
    });
  });

  test('spaces around a text, as Python has them, are taken off where the checkpoint says so', async () => {
    const text = ' \u0085\u001f\tbee fly \u2003';
    expect(await read({ strip: true }, text)).toEqual({
      tokens: [ids.bee, ids.fly],
      spans: [4, 7, 8, 11],
    });
    // JavaScript would take this one off
    expect(
      tokenizePrompted(
        await loadTokenizer(tokenizerJson, {}, 1e6, 't'),
        recipe({ strip: true }),
        '\ufeffbee',
        9,
      ).spans,
    ).toEqual(Int32Array.of(1, 4));
  });

  test('a capital sigma becomes the same letter wherever it stands, and Chinese beyond the first plane is words of one character', async () => {
    const vocab = { ...tokenizerJson.model.vocab, οσ: 30, 𠀋: 31, '##𠀋': 32 };
    const json = { ...tokenizerJson, model: { ...tokenizerJson.model, vocab } };
    expect(await read({}, 'ΟΣ')).toMatchObject({ tokens: [ids['[UNK]']] });
    expect(await read({}, 'ΟΣ', json)).toEqual({ tokens: [30], spans: [0, 2] });
    expect(await read({}, 'bee𠀋𠀋', json)).toEqual({
      tokens: [ids.bee, 31, 31],
      spans: [0, 3, 3, 5, 5, 7],
    });
  });

  test('lower-casing that the settings ask for leaves special tokens and places as they are', async () => {
    const json = {
      ...tokenizerJson,
      normalizer: { ...tokenizerJson.normalizer, lowercase: false },
    };
    expect(await read({}, 'BEE [MASK]', json, { lowerCase: true })).toEqual({
      tokens: [ids.bee, ids['[MASK]']],
      spans: [0, 3, 4, 10],
    });
    expect(await read({}, 'BEE', json)).toMatchObject({ tokens: [ids['[UNK]']] });
  });

  test('a marker is found in a text as it is written alone', async () => {
    const added_tokens = tokenizerJson.added_tokens.map((token) => ({
      ...token,
      normalized: token.content === '[Q] ',
    }));
    const json = { ...tokenizerJson, added_tokens };
    expect((await read({}, '[q] bee', json)).tokens).toEqual([ids['[Q] '], ids.bee]);
    expect((await read({}, '[q] bee', json, { markers: ['[Q] '] })).tokens).not.toContain(
      ids['[Q] '],
    );
    expect((await read({}, '[Q] bee', json, { markers: ['[Q] '] })).tokens).toEqual([
      ids['[Q] '],
      ids.bee,
    ]);
  });
});
