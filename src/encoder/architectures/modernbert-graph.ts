import { type GraphBuilder, type GraphOptions, graphBuilder } from '../graph/graph-builder.js';
import {
  maskAsBias,
  NEVER,
  type PlainAttention,
  plainAttention,
} from '../graph/plain-attention.js';
import type { DenseLayer } from './dense.js';
import { finishBody } from './dense-graph.js';
import type { ModernBertConfig } from './modernbert-config.js';
import type { ModernBertLayer, ModernBertWeights } from './modernbert-weights.js';

/**
 * Builds an ONNX model of a ModernBERT body and the dense layers behind it, with the inputs and
 * outputs of `bertOnnx`: norms come before attention and products, positions by rotation, most
 * layers look at near tokens alone, and the inner product is gated (GeGLU).
 */
export async function modernBertOnnx(
  config: ModernBertConfig,
  weights: ModernBertWeights,
  dense: readonly DenseLayer[],
  options: GraphOptions,
): Promise<Uint8Array> {
  const body = new ModernBertGraph(config, options);
  let x = body.embed(await weights.embeddings());
  for (let i = 0; i < config.layers; i++) x = body.layer(i, x, await weights.layer(i));
  body.normalise('final', x, await weights.finalNorm());
  return finishBody(body.graph, config.hidden, dense);
}

/** A ModernBERT body that is being written; methods give the names of their outputs. */
class ModernBertGraph {
  readonly graph: GraphBuilder;
  readonly #config: ModernBertConfig;
  readonly #plain: { bias: string; attend: PlainAttention } | undefined;
  readonly #rotations: { everywhere: Rotation; near: Rotation };
  readonly #reaches = new Map<number, Reach>();

  constructor(config: ModernBertConfig, { precision, attention }: GraphOptions) {
    const graph = graphBuilder(precision);
    this.graph = graph;
    this.#config = config;
    graph.node('Cast', ['attention_mask'], { to: 6 }); // int32
    graph.rename('mask');
    if (attention === 'plain')
      this.#plain = { bias: maskAsBias(graph), attend: plainAttention(graph, config) };
    graph.constant('zero', { dims: [1], type: 'int64', data: BigInt64Array.of(0n) });
    const { theta } = config;
    this.#rotations = {
      everywhere: rotation(graph, 'everywhere', theta.everywhere, config),
      near: rotation(graph, 'near', theta.near, config),
    };
  }

  embed({ words, norm }: Awaited<ReturnType<ModernBertWeights['embeddings']>>): string {
    const { vocabulary, hidden } = this.#config;
    this.graph.constant('words', { dims: [vocabulary, hidden], type: 'float32', data: words });
    return this.normalise('embeddings', this.graph.node('Gather', ['words', 'input_ids']), norm);
  }

  layer(index: number, x: string, layer: ModernBertLayer): string {
    const { graph } = this;
    const at = `layer${index}`;
    const context = this.#attention(index, at, x, layer);
    const seen = graph.node('Add', [
      x,
      graph.linear(`${at}.attentionOutput`, context, layer.attentionOutput),
    ]);
    const input = this.normalise(`${at}.mlp`, seen, layer.innerNorm);
    const inner = graph.linear(`${at}.inner`, input, layer.inner);
    const [active, gate] = graph.split(inner, 2, this.#config.intermediate);
    const gated = graph.node('Mul', [graph.fused('Gelu', [active]), gate]);
    return graph.node('Add', [seen, graph.linear(`${at}.output`, gated, layer.output)]);
  }

  normalise(name: string, input: string, gamma: Float32Array): string {
    const inputs = [input, this.graph.vector(`${name}.gamma`, gamma)];
    const { epsilon } = this.#config;
    return this.graph.node('LayerNormalization', inputs, { epsilon: { float: epsilon } });
  }

  #attention(index: number, at: string, x: string, layer: ModernBertLayer): string {
    const { graph } = this;
    const { heads, hidden, reach } = this.#config;
    const input = layer.attentionNorm
      ? this.normalise(`${at}.attention`, x, layer.attentionNorm)
      : x;
    const [q, k, v] = graph.split(graph.linear(`${at}.qkv`, input, layer.queryKeyValue), 3, hidden);
    const far = reach[index];
    const { cos, sin } = far === undefined ? this.#rotations.everywhere : this.#rotations.near;
    const rotated = (part: string): string =>
      graph.fused('RotaryEmbedding', [part, 'zero', cos, sin], { num_heads: heads });
    const parts = [rotated(q), rotated(k), v];
    const near = far === undefined ? undefined : this.#within(far);
    // the operator takes less off for masked tokens than for far ones, so that the bias has both
    const attended = this.#plain
      ? this.#plain.attend(parts, near?.bias ?? this.#plain.bias)
      : graph.fused(
          'MultiHeadAttention',
          near ? [...parts, '', '', near.bias] : [...parts, '', 'mask'],
          { num_heads: heads },
        );
    return near ? graph.node('Mul', [attended, near.sees]) : attended;
  }

  #within(far: number): Reach {
    const known = this.#reaches.get(far) ?? within(this.graph, far);
    this.#reaches.set(far, known);
    return known;
  }
}

/** Cosines and sines of the angles of all positions. */
interface Rotation {
  readonly cos: string;
  readonly sin: string;
}

function rotation(
  graph: GraphBuilder,
  name: string,
  base: number,
  { hidden, heads, positions }: ModernBertConfig,
): Rotation {
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

/** For layers whose tokens look at those that are at most `far` away. */
function within(graph: GraphBuilder, far: number): Reach {
  const whole = (name: string, dims: readonly number[], list: readonly number[]): string =>
    graph.constant(`${name}${far}`, {
      dims,
      type: 'int64',
      data: BigInt64Array.from(list, BigInt),
    });
  const scalar = (name: string, value: number): string => whole(name, [], [value]);
  const axes = (name: string, list: readonly number[]): string => whole(name, [list.length], list);
  const number = (name: string, value: number): string =>
    graph.constant(`${name}${far}`, { dims: [], type: 'float32', data: Float32Array.of(value) });
  const tokens = graph.node('Squeeze', [graph.node('Shape', ['input_ids'], { start: 1, end: 2 })]);
  const places = graph.node('Range', [scalar('from', 0), tokens, scalar('step', 1)]);
  const column = graph.node('Unsqueeze', [places, axes('column', [0, 1, 3])]);
  const row = graph.node('Unsqueeze', [places, axes('row', [0, 1, 2])]);
  const distance = graph.node('Abs', [graph.node('Sub', [column, row])]);
  const isReached = graph.node('LessOrEqual', [distance, scalar('reach', far)]);
  const isNear = graph.node('Cast', [isReached], { to: 1 }); // float32
  const mask = graph.node('Cast', ['attention_mask'], { to: 1 });
  const isAttended = graph.node('Unsqueeze', [mask, axes('mask', [1, 2])]);
  // [batch, 1, tokens, tokens]: 1 for what a token looks at
  const seen = graph.node('Mul', [isNear, isAttended]);
  const unseen = graph.node('Sub', [number('one', 1), seen]);
  const bias = graph.node('Mul', [unseen, number('never', NEVER)]);
  const any = graph.node('ReduceMax', [seen], { axes: [3], keepdims: 0 });
  return { bias, sees: graph.node('Transpose', [any], { perm: [0, 2, 1] }) };
}
