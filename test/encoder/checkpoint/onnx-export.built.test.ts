import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PoolingEncoder } from '../../../dist/encoder/encoder.js';
import { graphBuilder } from '../../../dist/encoder/graph/graph-builder.js';
import { loadEncoder } from '../../../dist/entry/node-encoder.js';
import { isLemurError } from '../../../dist/errors.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { denseModule, tokenizerJson, values, writeFiles } from '../small-checkpoint.js';
import { bert, expectRows, layer, MODULES, tokens, unit, withEncoder } from './plain-checkpoint.js';

const root = await temporaryFolder('checkpoints');
let folders = 0;
const folderOf = (files: Record<string, unknown>): Promise<string> =>
  writeFiles(join(root, String(folders++)), files);

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
