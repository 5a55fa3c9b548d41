import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/bytes/byte-source.js';
import { bertWeights } from '../../../src/encoder/architectures/bert-weights.js';
import { isLemurError } from '../../../src/errors.js';
import { openSafetensors } from '../../../src/formats/safetensors/safetensors-file.js';
import { smallBert } from '../small-bert.js';

/** More levels than the stack has room for, as JSON.parse gives them. */
const deep: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);

describe('a model that is not what the encoder runs', () => {
  test.each([
    [
      'unsupported',
      { model_type: 't5' },
      /model_type is "t5", supported: bert or roberta or xlm-roberta/,
    ],
    ['bad-file', { model_type: 'roberta' }, /pad_token_id is nothing, expected a positive integer/],
    [
      'bad-file',
      { model_type: 'roberta', pad_token_id: 35 },
      /1 positions for a text's tokens, expected at least 3/,
    ],
    [
      'unsupported',
      { hidden_act: 'gelu_new' },
      /hidden_act is "gelu_new", supported: gelu or relu/,
    ],
    ['unsupported', { position_embedding_type: 'relative_key' }, /position_embedding_type/],
    ['unsupported', { num_attention_heads: 5 }, /hidden_size 48 in 5 heads/],
    [
      'bad-file',
      { num_hidden_layers: 'six' },
      /num_hidden_layers is "six", expected a positive integer/,
    ],
    ['bad-file', { layer_norm_eps: 0 }, /layer_norm_eps/],
    ['bad-file', { layer_norm_eps: Infinity }, /layer_norm_eps/],
    ['unsupported', { model_type: deep }, /model_type is a value of too many levels/],
  ] as const)('is refused as %s: %#', (code, change, message) => {
    let raised: unknown;
    try {
      smallBert(change);
    } catch (error) {
      raised = error;
    }
    expect(isLemurError(raised, code)).toBe(true);
    expect((raised as Error).message).toMatch(message);
  });

  test('is refused where its weights have other shapes than its config says, or are not there', async () => {
    const { file, config } = smallBert();
    const weights = await openSafetensors(bytesSource(file), 'm');
    expect(() => bertWeights(weights, { ...config, intermediate: 96 }, 'm')).toThrow(
      /intermediate\.dense\.weight is \[104,48\], expected \[96, 48\]/,
    );
    expect(() => bertWeights(weights, { ...config, layers: 3 }, 'm')).toThrow(
      /no tensor encoder\.layer\.2\./,
    );
  });
});
