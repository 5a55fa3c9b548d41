import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadEncoder } from '../../../src/entry/node-encoder.js';
import { smallColbert, writeFiles } from '../small-checkpoint.js';

const folder = await mkdtemp(join(tmpdir(), 'lemur-nested-'));
afterAll(() => rm(folder, { recursive: true }));

/** A field that is 100,000 arrays within one another. */
const deep = (field: string): Uint8Array =>
  Buffer.from(`{"${field}":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);

describe('settings that are nested without end', () => {
  test.each([
    ['config.json', 'model_type'],
    ['tokenizer.json', 'normalizer'],
    ['modules.json', 'type'],
    ['config_sentence_transformers.json', 'query_prefix'],
    ['1_Dense/config.json', 'in_features'],
  ])('in %s are a bad file, with its name', async (name, field) => {
    const at = await writeFiles(join(folder, name.replace('/', '-')), {
      ...smallColbert(),
      [name]: deep(field),
    });
    await expect(loadEncoder(at)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(
        new RegExp(`${name.replace(/[.]/g, '\\.')}: more than 64 levels of objects and arrays`),
      ),
    });
  });
});
