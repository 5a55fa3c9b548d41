import { type GraphOptions, graphBuilder } from '../graph/graph-builder.js';
import { maskAsBias, NEVER, plainAttention } from '../graph/plain-attention.js';
import type { DenseLayer } from './dense.js';
import { finishBody } from './dense-graph.js';
import type { ModernBertConfig } from './modernbert-config.js';
import type { ModernBertWeights } from './modernbert-weights.js';

/**
 * Builds an ONNX model of a ModernBERT body and the dense layers behind it, with the inputs and
 * outputs of `bertOnnx`: norms come before attention and products, positions by rotation, most
 * layers look at near tokens alone, and the inner product is gated (GeGLU).
 */
export async function modernBertOnnx(
  config: ModernBertConfig,
  weights: ModernBertWeights,
  dense: readonly DenseLayer[],
  { precision, attention }: GraphOptions,
): Promise<Uint8Array> {
  const { heads, hidden, positions, reach, theta } = config;
  const graph = graphBuilder(precision);
  graph.node('Cast', ['attention_mask'], { to: 6 }); // int32
  graph.rename('mask');
  const plain =
    attention === 'plain'
      ? { bias: maskAsBias(graph), attend: plainAttention(graph, config) }
      : undefined;
  graph.constant('zero', { dims: [1], type: 'int64', data: BigInt64Array.of(0n) });
  const rotations = {
    everywhere: rotation('everywhere', theta.everywhere),
    near: rotation('near', theta.near),
  };
  const reaches = new Map<number, Reach>();

  const { words, norm } = await weights.embeddings();
  graph.constant('words', { dims: [config.vocabulary, hidden], type: 'float32', data: words });
  let x = normalise('embeddings', graph.node('Gather', ['words', 'input_ids']), norm);
  for (let i = 0; i < config.layers; i++) {
    const layer = await weights.layer(i);
    const at = `layer${i}`;
    const input = layer.attentionNorm ? normalise(`${at}.attention`, x, layer.attentionNorm) : x;
    const [q, k, v] = graph.split(graph.linear(`${at}.qkv`, input, layer.queryKeyValue), 3, hidden);
    const far = reach[i];
    const { cos, sin } = far === undefined ? rotations.everywhere : rotations.near;
    const rotated = (part: string): string =>
      graph.fused('RotaryEmbedding', [part, 'zero', cos, sin], { num_heads: heads });
    const parts = [rotated(q), rotated(k), v];
    const near = far === undefined ? undefined : within(far);
    // the operator takes less off for masked tokens than for far ones, so that the bias has both
    const attended = plain
      ? plain.attend(parts, near?.bias ?? plain.bias)
      : graph.fused(
          'MultiHeadAttention',
          near ? [...parts, '', '', near.bias] : [...parts, '', 'mask'],
          { num_heads: heads },
        );
    const context = near ? graph.node('Mul', [attended, near.sees]) : attended;
    x = graph.node('Add', [
      x,
      graph.linear(`${at}.attentionOutput`, context, layer.attentionOutput),
    ]);
    const inner = graph.linear(
      `${at}.inner`,
      normalise(`${at}.mlp`, x, layer.innerNorm),
      layer.inner,
    );
    const [active, gate] = graph.split(inner, 2, config.intermediate);
    const gated = graph.node('Mul', [graph.fused('Gelu', [active]), gate]);
    x = graph.node('Add', [x, graph.linear(`${at}.output`, gated, layer.output)]);
  }
  normalise('final', x, await weights.finalNorm());
  return finishBody(graph, hidden, dense);

  function normalise(name: string, input: string, gamma: Float32Array): string {
    return graph.node('LayerNormalization', [input, graph.vector(`${name}.gamma`, gamma)], {
      epsilon: { float: config.epsilon },
    });
  }

  /** Cosines and sines of the angles of all positions. */
  function rotation(name: string, base: number): { cos: string; sin: string } {
    const half = hidden / heads / 2;
    const angle = (at: number): number => Math.floor(at / half) * base ** (-(at % half) / half);
    const table = (kind: string, f: (x: number) => number): string =>
      graph.constant(`${name}.${kind}`, {
        dims: [positions, half],
        type: 'float32',
        data: Float32Array.from({ length: positions * half }, (_, at) => f(angle(at))),
      });
    return { cos: table('cos', Math.cos), sin: table('sin', Math.sin) };
  }

  /** For layers whose tokens look at those that are at most `far` away. */
  function within(far: number): Reach {
    const known = reaches.get(far);
    if (known) return known;
    const scalar = (name: string, value: number): string =>
      graph.constant(`${name}${far}`, {
        dims: [],
        type: 'int64',
        data: BigInt64Array.of(BigInt(value)),
      });
    const axes = (name: string, list: readonly number[]): string =>
      graph.constant(`${name}${far}`, {
        dims: [list.length],
        type: 'int64',
        data: BigInt64Array.from(list, BigInt),
      });
    const number = (name: string, value: number): string =>
      graph.constant(`${name}${far}`, { dims: [], type: 'float32', data: Float32Array.of(value) });
    const tokens = graph.node('Squeeze', [
      graph.node('Shape', ['input_ids'], { start: 1, end: 2 }),
    ]);
    const places = graph.node('Range', [scalar('from', 0), tokens, scalar('step', 1)]);
    const distance = graph.node('Abs', [
      graph.node('Sub', [
        graph.node('Unsqueeze', [places, axes('column', [0, 1, 3])]),
        graph.node('Unsqueeze', [places, axes('row', [0, 1, 2])]),
      ]),
    ]);
    const isNear = graph.node(
      'Cast',
      [graph.node('LessOrEqual', [distance, scalar('reach', far)])],
      { to: 1 },
    ); // float32
    const isAttended = graph.node('Unsqueeze', [
      graph.node('Cast', ['attention_mask'], { to: 1 }),
      axes('mask', [1, 2]),
    ]);
    // [batch, 1, tokens, tokens]: 1 for what a token looks at
    const seen = graph.node('Mul', [isNear, isAttended]);
    const reach = {
      bias: graph.node('Mul', [
        graph.node('Sub', [number('one', 1), seen]),
        number('never', NEVER),
      ]),
      sees: graph.node('Transpose', [graph.node('ReduceMax', [seen], { axes: [3], keepdims: 0 })], {
        perm: [0, 2, 1],
      }),
    };
    reaches.set(far, reach);
    return reach;
  }
}

/** What tokens see that look at near ones alone. */
interface Reach {
  /**
   * Added to the scores, [batch, 1, tokens, tokens]: 0, or `NEVER` for a token that is far or that
   * nobody looks at.
   */
  readonly bias: string;
  /** [batch, tokens, 1]: 0 for a token that sees none, whose attention gives zeros, else 1. */
  readonly sees: string;
}
