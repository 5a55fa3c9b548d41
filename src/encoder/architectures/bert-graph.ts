import { joinArrays } from '../../tokens/join.js';
import {
  type GraphBuilder,
  type GraphOptions,
  graphBuilder,
  type ProductPrecision,
} from '../graph/graph-builder.js';
import { maskAsBias, type PlainAttention, plainAttention } from '../graph/plain-attention.js';
import type { BertConfig } from './bert-config.js';
import type { BertEmbeddings, BertLayer, BertWeights, Dense, Norm } from './bert-weights.js';
import type { DenseLayer } from './dense.js';
import { finishBody } from './dense-graph.js';

/**
 * Builds an ONNX model of a BERT body and the dense layers behind it. Inputs: `input_ids` and
 * `attention_mask`, [batch, tokens] int64 (1 for a token that the others look at). Outputs:
 * `last_hidden_state`, [batch, tokens, hidden], and with dense layers `projected`, [batch, tokens,
 * dim]; float32.
 *
 * Attention, skip-layer-norm and bias-GELU are written as ONNX Runtime's own fused operators
 * (domain com.microsoft), which its graph optimiser would otherwise have to recognise; attention
 * also in plain operators.
 */
export async function bertOnnx(
  config: BertConfig,
  weights: BertWeights,
  dense: readonly DenseLayer[],
  options: GraphOptions,
): Promise<Uint8Array> {
  const body = new BertGraph(config, options);
  let x = body.embed(await weights.embeddings());
  for (let i = 0; i < config.layers; i++) x = body.layer(`layer${i}`, x, await weights.layer(i));
  return finishBody(body.graph, config.hidden, dense);
}

/** A BERT body that is being written; methods give the names of their outputs. */
class BertGraph {
  readonly graph: GraphBuilder;
  readonly #config: BertConfig;
  readonly #precision: ProductPrecision;
  readonly #plain: { bias: string; attend: PlainAttention } | undefined;

  constructor(config: BertConfig, { precision, attention }: GraphOptions) {
    this.graph = graphBuilder(precision);
    this.#config = config;
    this.#precision = precision;
    if (attention === 'plain')
      this.#plain = { bias: maskAsBias(this.graph), attend: plainAttention(this.graph, config) };
  }

  embed({ words, positions, unplaced, norm }: BertEmbeddings): string {
    const { graph } = this;
    const { vocabulary, hidden, epsilon } = this.#config;
    graph.constant('words', { dims: [vocabulary, hidden], type: 'float32', data: words });
    const data = unplaced
      ? joinArrays([unplaced, positions], (length) => new Float32Array(length))
      : positions;
    graph.constant('positions', { dims: [data.length / hidden, hidden], type: 'float32', data });
    graph.constant('zero', { dims: [1], type: 'int64', data: BigInt64Array.of(0n) });
    graph.node('Cast', ['attention_mask'], { to: 6 }); // int32
    graph.rename('mask');
    const sum = graph.node('Add', [graph.node('Gather', ['words', 'input_ids']), this.#places()]);
    const inputs = [sum, ...this.#norm('embeddings', norm)];
    return graph.node('LayerNormalization', inputs, { epsilon: { float: epsilon } });
  }

  layer(at: string, x: string, layer: BertLayer): string {
    const context = this.#attention(`${at}.qkv`, x, layer.queryKeyValue);
    const { attentionOutput, attentionNorm, intermediate, output, outputNorm } = layer;
    const seen = this.#addAndNormalise(
      `${at}.attention`,
      context,
      x,
      attentionOutput,
      attentionNorm,
    );
    const inner = this.#activation(
      `${at}.inner`,
      this.graph.linear(`${at}.inner`, seen, intermediate),
      intermediate.bias,
    );
    return this.#addAndNormalise(`${at}.output`, inner, seen, output, outputNorm);
  }

  /**
   * Embeddings of the tokens' positions: counted from the first, or RoBERTa's, where a padding
   * token in a text has a row of its own and is not counted.
   */
  #places(): string {
    const { graph } = this;
    const { unplaced } = this.#config;
    if (unplaced === undefined) {
      const tokens = graph.node('Shape', ['input_ids'], { start: 1, end: 2 });
      return graph.node('Slice', ['positions', 'zero', tokens, 'zero']);
    }
    const scalar = (name: string, value: number): string =>
      graph.constant(name, { dims: [], type: 'int64', data: BigInt64Array.of(BigInt(value)) });
    const padding = graph.node('Equal', ['input_ids', scalar('unplaced', unplaced)]);
    const isPlaced = graph.node('Cast', [graph.node('Not', [padding])], { to: 6 }); // int32
    const counted = graph.node('CumSum', [isPlaced, scalar('tokens', 1)]);
    return graph.node('Gather', ['positions', graph.node('Mul', [counted, isPlaced])]);
  }

  #attention(name: string, input: string, queryKeyValue: Dense): string {
    const { graph } = this;
    const { hidden, heads } = this.#config;
    const bias = graph.vector(`${name}.bias`, queryKeyValue.bias);
    if (this.#plain) {
      const sum = graph.node('Add', [graph.linear(name, input, queryKeyValue), bias]);
      return this.#plain.attend(graph.split(sum, 3, hidden), this.#plain.bias);
    }
    if (this.#precision === 'float32') {
      const inputs = [input, graph.transposed(name, queryKeyValue), bias, 'mask'];
      return graph.fused('Attention', inputs, { num_heads: heads });
    }
    // the product as one of its own, which is then int8
    const [q, k, v] = graph.split(graph.linear(name, input, queryKeyValue), 3, hidden);
    return graph.fused('MultiHeadAttention', [q, k, v, bias, 'mask'], { num_heads: heads });
  }

  /** LayerNorm(residual + W input + bias) */
  #addAndNormalise(
    name: string,
    input: string,
    residual: string,
    layer: Dense,
    norm: Norm,
  ): string {
    const { graph } = this;
    const { epsilon } = this.#config;
    const inputs = [
      graph.linear(name, input, layer),
      residual,
      ...this.#norm(name, norm),
      graph.vector(`${name}.bias`, layer.bias),
    ];
    return graph.fused('SkipLayerNormalization', inputs, { epsilon: { float: epsilon } });
  }

  #activation(name: string, input: string, bias: Float32Array): string {
    const { graph } = this;
    const shift = graph.vector(`${name}.bias`, bias);
    return this.#config.activation === 'gelu'
      ? graph.fused('BiasGelu', [input, shift])
      : graph.node('Relu', [graph.node('Add', [input, shift])]);
  }

  #norm(name: string, { gamma, beta }: Norm): string[] {
    return [this.graph.vector(`${name}.gamma`, gamma), this.graph.vector(`${name}.beta`, beta)];
  }
}
