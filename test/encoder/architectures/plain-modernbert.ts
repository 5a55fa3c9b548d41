import {
  type ModernBertConfig,
  modernBertConfig,
} from '../../../src/encoder/architectures/modernbert-config.js';
import type { ModernBertWeights } from '../../../src/encoder/architectures/modernbert-weights.js';
import type { Matrix } from '../../../src/encoder/graph/graph-builder.js';
import { writeSafetensors } from '../../../src/formats/safetensors/safetensors.js';
import { gelu } from './plain-bert.js';

/** A ModernBERT of random weights whose layers look 4 tokens far, every third one everywhere. */
export function smallModernBert(): {
  json: Record<string, unknown>;
  config: ModernBertConfig;
  file: Uint8Array;
} {
  const json = {
    model_type: 'modernbert',
    hidden_size: 48,
    num_hidden_layers: 4,
    num_attention_heads: 3,
    intermediate_size: 40,
    vocab_size: 50,
    max_position_embeddings: 64,
    norm_eps: 1e-5,
    local_attention: 8,
    global_attn_every_n_layers: 3,
    global_rope_theta: 160000,
    local_rope_theta: 10000,
  };
  let seed = 7;
  const random = (): number => {
    seed = (seed * 48271) % 2147483647;
    return (seed / 2147483647) * 2 - 1;
  };
  const tensors: Record<string, { data: Float32Array; shape: number[] }> = {};
  const tensor = (name: string, shape: number[], center = 0): void => {
    const length = shape.reduce((a, b) => a * b, 1);
    tensors[`model.${name}.weight`] = {
      data: Float32Array.from({ length }, () => center + 0.3 * random()),
      shape,
    };
  };
  tensor('embeddings.tok_embeddings', [50, 48]);
  tensor('embeddings.norm', [48], 1);
  tensor('final_norm', [48], 1);
  for (let i = 0; i < 4; i++) {
    if (i > 0) tensor(`layers.${i}.attn_norm`, [48], 1);
    tensor(`layers.${i}.attn.Wqkv`, [144, 48]);
    tensor(`layers.${i}.attn.Wo`, [48, 48]);
    tensor(`layers.${i}.mlp_norm`, [48], 1);
    tensor(`layers.${i}.mlp.Wi`, [80, 48]);
    tensor(`layers.${i}.mlp.Wo`, [48, 40]);
  }
  return { json, config: modernBertConfig(json, 'config.json'), file: writeSafetensors(tensors) };
}

/**
 * ModernBERT's forward pass in float64, as the formulas read. All tokens look at the first
 * `attended` ones that are near enough.
 */
export async function plainModernBert(
  config: ModernBertConfig,
  weights: ModernBertWeights,
  ids: readonly number[],
  attended: number,
): Promise<Float64Array[]> {
  const { hidden, heads, epsilon, reach, theta, intermediate } = config;
  const size = hidden / heads;
  const { words, norm } = await weights.embeddings();
  const normalise = (row: Float64Array, gamma: Float32Array): Float64Array => {
    const mean = row.reduce((a, b) => a + b) / hidden;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / hidden;
    return row.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * gamma[i]);
  };
  const times = ({ weight, inputs, outputs }: Matrix, row: Float64Array): Float64Array =>
    Float64Array.from({ length: outputs }, (_, o) =>
      row.reduce((sum, v, i) => sum + v * weight[o * inputs + i], 0),
    );
  const add = (a: Float64Array, b: Float64Array): Float64Array => a.map((v, i) => v + b[i]);
  /**
   * The two halves of a head's vector are the parts of complex numbers that turn by an angle that
   * grows with the position.
   */
  const rotate = (row: Float64Array, at: number, position: number, base: number): Float64Array =>
    Float64Array.from({ length: size }, (_, c) => {
      const half = size / 2;
      const angle = position * base ** (-(c % half) / half);
      const [real, imaginary] = [row[at + (c % half)], row[at + half + (c % half)]];
      return c < half
        ? real * Math.cos(angle) - imaginary * Math.sin(angle)
        : imaginary * Math.cos(angle) + real * Math.sin(angle);
    });

  let x = ids.map((id) =>
    normalise(Float64Array.from(words.subarray(id * hidden, (id + 1) * hidden)), norm),
  );
  for (let l = 0; l < config.layers; l++) {
    const layer = await weights.layer(l);
    const base = reach[l] === undefined ? theta.everywhere : theta.near;
    const qkv = x.map((row) =>
      times(layer.queryKeyValue, layer.attentionNorm ? normalise(row, layer.attentionNorm) : row),
    );
    const context = qkv.map((own, i) => {
      const out = new Float64Array(hidden);
      for (let h = 0; h < heads; h++) {
        const q = rotate(own, h * size, i, base);
        const scores = qkv.map((other, j) => {
          if (j >= attended || Math.abs(i - j) > (reach[l] ?? Infinity)) return 0;
          const k = rotate(other, hidden + h * size, j, base);
          return Math.exp(q.reduce((sum, v, c) => sum + v * k[c], 0) / Math.sqrt(size));
        });
        // a token that sees none attends to nothing
        const sum = scores.reduce((a, b) => a + b) || 1;
        for (let c = 0; c < size; c++)
          out[h * size + c] = qkv.reduce(
            (s, value, j) => s + (scores[j] / sum) * value[2 * hidden + h * size + c],
            0,
          );
      }
      return out;
    });
    x = x.map((row, i) => add(row, times(layer.attentionOutput, context[i])));
    x = x.map((row) => {
      const inner = times(layer.inner, normalise(row, layer.innerNorm));
      const gated = Float64Array.from(
        { length: intermediate },
        (_, i) => gelu(inner[i]) * inner[intermediate + i],
      );
      return add(row, times(layer.output, gated));
    });
  }
  const last = await weights.finalNorm();
  return x.map((row) => normalise(row, last));
}
