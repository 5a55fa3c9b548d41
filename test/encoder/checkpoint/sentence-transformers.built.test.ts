import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadEncoder } from '../../../dist/entry/node-encoder.js';
import {
  readSafetensors,
  writeSafetensors,
} from '../../../dist/formats/safetensors/safetensors.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { denseModule, ids, tokenizerJson, values, writeFiles } from '../small-checkpoint.js';
import {
  all,
  bert,
  body,
  expectRows,
  HIDDEN,
  layer,
  MODULES,
  plain,
  tokens,
  unit,
  withEncoder,
} from './plain-checkpoint.js';

const root = await temporaryFolder('checkpoints');
let folders = 0;
const folderOf = (files: Record<string, unknown>): Promise<string> =>
  writeFiles(join(root, String(folders++)), files);

test.each(['../secret', '/etc', 'a/../../b', 'C:\\models'])(
  'a module at %s, outside of the checkpoint, is refused',
  async (path) => {
    const modules = [{ type: 'sentence_transformers.models.Transformer', path }];
    const folder = await folderOf({ ...body, 'modules.json': modules });
    await expect(loadEncoder(folder)).rejects.toThrow(
      /modules\.json: a module at ".*", expected a folder in the checkpoint/,
    );
  },
);

test('a checkpoint of Sentence Transformers 6 says it in its modules', async () => {
  const dense = denseModule('1_Dense', HIDDEN, 6);
  const through = [layer(dense.weight, HIDDEN)];
  const files = (query_expansion: unknown, normalize: boolean) => ({
    ...body,
    ...dense.files,
    'modules.json': [
      MODULES.transformer,
      MODULES.dense(1),
      MODULES.mask(2),
      ...(normalize ? [MODULES.normalize(3)] : []),
    ],
    'sentence_bert_config.json': {
      query_expansion,
      document_length: 6,
      query_length: null,
      do_lower_case: true,
    },
    '2_MultiVectorMask/config.json': {
      skiplist_words: ['.'],
      skiplist_tasks: ['query', 'document'],
      keep_only_token_ids: null,
    },
    'config_sentence_transformers.json': {
      model_type: 'MultiVectorEncoder',
      prompts: { query: 'q: ', document: '[unused1] ' },
    },
  });
  const long = 'a bee a bee a bee .';
  const read = tokens('[CLS]', 'q', ':', 'a', 'bee', 'a', 'bee', 'a', 'bee', '.', '[SEP]');
  await withEncoder(
    await folderOf(files({ strategy: 'min', length: 9, attend: false, token: null }, true)),
    async (encoder) => {
      const queries = await encoder.encodeQuery([long, 'RED']);
      expectRows(
        queries,
        0,
        await plain(read, 11, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10], ...through, unit),
      );
      const short = [...tokens('[CLS]', 'q', ':', 'red', '[SEP]'), ...Array(4).fill(ids['[MASK]'])];
      expectRows(queries, 1, await plain(short, 5, all(9), ...through, unit));
      const documents = await encoder.encodeDocument([long]);
      expectRows(
        documents,
        0,
        await plain(
          tokens('[CLS]', '[unused1]', 'a', 'bee', 'a', '[SEP]'),
          6,
          all(6),
          ...through,
          unit,
        ),
      );
    },
  );
  await withEncoder(
    await folderOf(files({ strategy: 'fixed', length: 7, attend: true, token: '[PAD]' }, false)),
    async (encoder) => {
      const queries = await encoder.encodeQuery([long, 'red']);
      expectRows(
        queries,
        0,
        await plain(tokens('[CLS]', 'q', ':', 'a', 'bee', 'a', '[SEP]'), 7, all(7), ...through),
      );
      expectRows(
        queries,
        1,
        await plain(
          tokens('[CLS]', 'q', ':', 'red', '[SEP]', '[PAD]', '[PAD]'),
          7,
          all(7),
          ...through,
        ),
      );
    },
  );
  const wrong = await folderOf(files({ strategy: 'random', length: 7 }, true));
  await expect(loadEncoder(wrong)).rejects.toThrow(/strategy "random", supported: fixed, min/);
});

test('a length without room for a token of a text is refused, and one that stands for no limit is none', async () => {
  const files = (model_max_length: unknown, max_position_embeddings: number) => ({
    ...body,
    'config.json': { ...bert.json, max_position_embeddings },
    'modules.json': [MODULES.transformer, MODULES.mask(1)],
    'sentence_bert_config.json': {},
    '1_MultiVectorMask/config.json': {},
    'tokenizer_config.json': { model_max_length, mask_token: '[MASK]' },
  });
  const positions = bert.json.max_position_embeddings as number;
  for (const length of [1, 2])
    await expect(loadEncoder(await folderOf(files(length, positions)))).rejects.toThrow(
      /texts of [12] tokens at most/,
    );
  for (const length of [3, 1e30, null]) {
    await withEncoder(await folderOf(files(length, positions)), async (encoder) => {
      expect([...(await encoder.encodeDocument(['a bee', 'a'])).counts]).toEqual(
        length === 3 ? [3, 3] : [4, 3],
      );
    });
  }
});

test('the id tells encoders apart that differ in what the configuration of the tokenizer says alone', async () => {
  const idOf = async (
    config: unknown,
    query_expansion: unknown = { length: 8 },
  ): Promise<string> => {
    const files = {
      ...body,
      'modules.json': [MODULES.transformer, MODULES.mask(1)],
      'sentence_bert_config.json': { query_expansion },
      '1_MultiVectorMask/config.json': {},
      ...(config === undefined ? {} : { 'tokenizer_config.json': config }),
    };
    let id = '';
    await withEncoder(await folderOf(files), async (encoder) => {
      id = encoder.id;
    });
    return id;
  };
  const usual = await idOf(undefined);
  expect(await idOf({ model_max_length: 1e30, mask_token: '[MASK]' })).toBe(usual);
  expect(await idOf({ mask_token: { content: '[MASK]' } })).toBe(usual);
  const [short, other] = [await idOf({ model_max_length: 6 }), await idOf({ mask_token: '[PAD]' })];
  expect(new Set([usual, short, other]).size).toBe(3);
  expect(await idOf({ mask_token: '[PAD]' }, null)).toBe(await idOf(undefined, null));
});

test("a checkpoint of Stanford's ColBERT has its projection among the weights and its settings in artifact.metadata", async () => {
  const weight = values(HIDDEN * 5, 9);
  const { tensors } = readSafetensors(bert.file);
  const renamed = Object.fromEntries(
    [...tensors].map(([name, { shape, bytes }]) => [
      `bert.${name}`,
      { shape, data: new Float32Array(new Uint8Array(bytes).buffer) },
    ]),
  );
  const folder = await folderOf({
    'config.json': { ...bert.json, architectures: ['HF_ColBERT'] },
    'tokenizer.json': tokenizerJson,
    'model.safetensors': writeSafetensors({
      ...renamed,
      'linear.weight': { shape: [5, HIDDEN], data: weight },
    }),
    'artifact.metadata': {
      query_token_id: '[unused0]',
      doc_token_id: '[unused1]',
      query_maxlen: 7,
      doc_maxlen: 30,
      mask_punctuation: true,
      attend_to_mask_tokens: false,
    },
  });
  await withEncoder(folder, async (encoder) => {
    expect(encoder.dim).toBe(5);
    const through = [layer(weight, HIDDEN), unit];
    const query = [
      ...tokens('[CLS]', '[unused0]', 'owl', '##s', '[SEP]'),
      ids['[MASK]'],
      ids['[MASK]'],
    ];
    expectRows(await encoder.encodeQuery(['owls']), 0, await plain(query, 5, all(7), ...through));
    const document = tokens('[CLS]', '[unused1]', 'owl', '##s', 'fly', '.', '[SEP]');
    expectRows(
      await encoder.encodeDocument(['owls fly.']),
      0,
      await plain(document, 7, [0, 1, 2, 3, 4, 6], ...through),
    );
  });
});
