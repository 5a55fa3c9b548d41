import { type BertConfig, bertConfig } from '../../src/encoder/architectures/bert-config.js';
import { writeSafetensors } from '../../src/formats/safetensors/safetensors.js';

/**
 * A BERT of random weights, small enough for any test: config.json and the bytes of its weights.
 */
export function smallBert(
  change: Record<string, unknown> = {},
  prefix = '',
): { json: Record<string, unknown>; config: BertConfig; file: Uint8Array } {
  const json = {
    model_type: 'bert',
    hidden_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    intermediate_size: 104,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    vocab_size: 50,
    max_position_embeddings: 37,
    type_vocab_size: 2,
    ...change,
  };
  const config = bertConfig(json, 'config.json');
  const { hidden, intermediate } = config;
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48271) % 2147483647;
    return (seed / 2147483647) * 2 - 1;
  };
  const tensors: Record<string, { data: Float32Array; shape: number[] }> = {};
  const tensor = (name: string, shape: number[], center = 0, spread = 0.3): void => {
    const length = shape.reduce((a, b) => a * b, 1);
    tensors[prefix + name] = {
      data: Float32Array.from({ length }, () => center + spread * random()),
      shape,
    };
  };
  const dense = (name: string, outputs: number, inputs: number): void => {
    tensor(`${name}.weight`, [outputs, inputs]);
    tensor(`${name}.bias`, [outputs]);
  };
  const norm = (name: string): void => {
    tensor(`${name}.weight`, [hidden], 1);
    tensor(`${name}.bias`, [hidden]);
  };
  tensor('embeddings.word_embeddings.weight', [config.vocabulary, hidden]);
  tensor('embeddings.position_embeddings.weight', [
    config.firstPosition + config.positions,
    hidden,
  ]);
  tensor('embeddings.token_type_embeddings.weight', [2, hidden]);
  norm('embeddings.LayerNorm');
  for (let i = 0; i < config.layers; i++) {
    const at = `encoder.layer.${i}`;
    for (const name of ['query', 'key', 'value'])
      dense(`${at}.attention.self.${name}`, hidden, hidden);
    dense(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`);
    dense(`${at}.intermediate.dense`, intermediate, hidden);
    dense(`${at}.output.dense`, hidden, intermediate);
    norm(`${at}.output.LayerNorm`);
  }
  return { json, config, file: writeSafetensors(tensors) };
}
