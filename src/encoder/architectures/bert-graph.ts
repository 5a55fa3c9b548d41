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
 * Attention and GELU are written as ONNX Runtime's own operators (domain com.microsoft), which its
 * graph optimiser would otherwise have to recognise; attention also in plain ones. The rest has the
 * tokens of all texts as rows, so that products add biases and residuals as they go. Its fused
 * skip-layer-norm and bias-GELU are not used: they take six and two times as long as these.
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
  body.finish(x);
  return finishBody(body.graph, config.hidden, dense);
}

/** A BERT body that is being written; methods give the names of their outputs. */
class BertGraph {
  readonly graph: GraphBuilder;
  readonly #config: BertConfig;
  readonly #precision: ProductPrecision;
  readonly #plain: { bias: string; attend: PlainAttention } | undefined;
  /** Shapes to bring values into: rows, and batch x tokens x the rest. */
  readonly #rows: string;
  readonly #texts: string;

  constructor(config: BertConfig, { precision, attention }: GraphOptions) {
    const graph = graphBuilder(precision);
    this.graph = graph;
    this.#config = config;
    this.#precision = precision;
    const whole = (name: string, ...values: bigint[]): string =>
      graph.constant(name, {
        dims: [values.length],
        type: 'int64',
        data: BigInt64Array.from(values),
      });
    this.#rows = whole('rows', -1n, BigInt(config.hidden));
    const shape = [graph.node('Shape', ['input_ids']), whole('rest', -1n)];
    this.#texts = graph.node('Concat', shape, { axis: 0 });
    if (attention === 'plain')
      this.#plain = { bias: maskAsBias(this.graph), attend: plainAttention(this.graph, config) };
  }

  embed({ words, positions, unplaced, norm }: BertEmbeddings): string {
    const { graph } = this;
    const { vocabulary, hidden } = this.#config;
    graph.constant('words', { dims: [vocabulary, hidden], type: 'float32', data: words });
    const data = unplaced
      ? joinArrays([unplaced, positions], (length) => new Float32Array(length))
      : positions;
    graph.constant('positions', { dims: [data.length / hidden, hidden], type: 'float32', data });
    graph.constant('zero', { dims: [1], type: 'int64', data: BigInt64Array.of(0n) });
    graph.node('Cast', ['attention_mask'], { to: 6 }); // int32
    graph.rename('mask');
    const sum = graph.node('Add', [graph.node('Gather', ['words', 'input_ids']), this.#places()]);
    return this.#together(this.#normalise('embeddings', sum, norm));
  }

  /** Of all rows what `embed` and `layer` give, batch x tokens x hidden. */
  finish(rows: string): void {
    this.#apart(rows);
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
    const inner = this.#activation(this.#dense(`${at}.inner`, seen, intermediate));
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

  /** Of rows, through all tokens of their texts. */
  #attention(name: string, rows: string, queryKeyValue: Dense): string {
    const { graph } = this;
    const { hidden, heads } = this.#config;
    if (this.#plain || this.#precision === 'int8') {
      const parts = graph.split(this.#apart(this.#dense(name, rows, queryKeyValue)), 3, hidden);
      const context = this.#plain
        ? this.#plain.attend(parts, this.#plain.bias)
        : graph.fused('MultiHeadAttention', [...parts, '', 'mask'], { num_heads: heads });
      return this.#together(context);
    }
    const inputs = [
      this.#apart(rows),
      graph.transposed(name, queryKeyValue),
      graph.vector(`${name}.bias`, queryKeyValue.bias),
      'mask',
    ];
    return this.#together(graph.fused('Attention', inputs, { num_heads: heads }));
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
    const sum = graph.linearPlus(name, input, layer, residual);
    return this.#normalise(
      name,
      graph.node('Add', [sum, graph.vector(`${name}.bias`, layer.bias)]),
      norm,
    );
  }

  #dense(name: string, input: string, layer: Dense): string {
    const bias = this.graph.vector(`${name}.bias`, layer.bias);
    return this.graph.linearPlus(name, input, layer, bias);
  }

  #activation(input: string): string {
    const { graph } = this;
    return this.#config.activation === 'gelu'
      ? graph.fused('Gelu', [input])
      : graph.node('Relu', [input]);
  }

  #normalise(name: string, input: string, { gamma, beta }: Norm): string {
    const { graph } = this;
    const { epsilon } = this.#config;
    const inputs = [
      input,
      graph.vector(`${name}.gamma`, gamma),
      graph.vector(`${name}.beta`, beta),
    ];
    return graph.node('LayerNormalization', inputs, { epsilon: { float: epsilon } });
  }

  /** Rows as batch x tokens x width. */
  #apart(rows: string): string {
    return this.graph.node('Reshape', [rows, this.#texts]);
  }

  /** The way back. */
  #together(texts: string): string {
    return this.graph.node('Reshape', [texts, this.#rows]);
  }
}
