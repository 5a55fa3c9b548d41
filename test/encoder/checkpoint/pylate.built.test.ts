import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEncoder } from '../../../dist/entry/node-encoder.js';
import { isLemurError } from '../../../dist/errors.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { denseModule, ids, writeFiles } from '../small-checkpoint.js';
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
