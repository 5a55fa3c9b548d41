import { joinArrays } from '../../tokens/join.js';
import { type GraphOptions, graphBuilder } from '../graph/graph-builder.js';
import { maskAsBias, plainAttention } from '../graph/plain-attention.js';
import type { BertConfig } from './bert-config.js';
import type { BertEmbeddings, BertWeights, Dense, Norm } from './bert-weights.js';
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
  { precision, attention: attentionBy }: GraphOptions,
): Promise<Uint8Array> {
  const { hidden, heads, epsilon } = config;
  const graph = graphBuilder(precision);

  const plain =
    attentionBy === 'plain'
      ? { bias: maskAsBias(graph), attend: plainAttention(graph, config) }
      : undefined;
  let x = embed(await weights.embeddings());
  for (let i = 0; i < config.layers; i++) {
    const layer = await weights.layer(i);
    const at = `layer${i}`;
    const context = attention(`${at}.qkv`, x, layer.queryKeyValue);
    x = addAndNormalise(`${at}.attention`, context, x, layer.attentionOutput, layer.attentionNorm);
    const inner = activation(
      `${at}.inner`,
      graph.linear(`${at}.inner`, x, layer.intermediate),
      layer.intermediate.bias,
    );
    x = addAndNormalise(`${at}.output`, inner, x, layer.output, layer.outputNorm);
  }
  return finishBody(graph, hidden, dense);

  function embed({ words, positions, unplaced, norm }: BertEmbeddings): string {
    graph.constant('words', { dims: [config.vocabulary, hidden], type: 'float32', data: words });
    const rows = unplaced
      ? joinArrays([unplaced, positions], (length) => new Float32Array(length))
      : positions;
    graph.constant('positions', {
      dims: [rows.length / hidden, hidden],
      type: 'float32',
      data: rows,
    });
    graph.constant('zero', { dims: [1], type: 'int64', data: BigInt64Array.of(0n) });
    graph.node('Cast', ['attention_mask'], { to: 6 }); // int32
    graph.rename('mask');
    const sum = graph.node('Add', [graph.node('Gather', ['words', 'input_ids']), places()]);
    return graph.node('LayerNormalization', [sum, ...normOf('embeddings', norm)], {
      epsilon: { float: epsilon },
    });
  }

  /**
   * Embeddings of the tokens' positions: counted from the first, or RoBERTa's, where a padding
   * token in a text has a row of its own and is not counted.
   */
  function places(): string {
    if (config.unplaced === undefined) {
      const tokens = graph.node('Shape', ['input_ids'], { start: 1, end: 2 });
      return graph.node('Slice', ['positions', 'zero', tokens, 'zero']);
    }
    const padding = graph.constant('unplaced', {
      dims: [],
      type: 'int64',
      data: BigInt64Array.of(BigInt(config.unplaced)),
    });
    const isPlaced = graph.node(
      'Cast',
      [graph.node('Not', [graph.node('Equal', ['input_ids', padding])])],
      { to: 6 },
    ); // int32
    const axis = graph.constant('tokens', { dims: [], type: 'int64', data: BigInt64Array.of(1n) });
    return graph.node('Gather', [
      'positions',
      graph.node('Mul', [graph.node('CumSum', [isPlaced, axis]), isPlaced]),
    ]);
  }

  function attention(name: string, input: string, queryKeyValue: Dense): string {
    const bias = graph.vector(`${name}.bias`, queryKeyValue.bias);
    if (plain)
      return plain.attend(
        graph.split(graph.node('Add', [graph.linear(name, input, queryKeyValue), bias]), 3, hidden),
        plain.bias,
      );
    if (precision === 'float32')
      return graph.fused(
        'Attention',
        [input, graph.transposed(name, queryKeyValue), bias, 'mask'],
        { num_heads: heads },
      );
    // the product as one of its own, which is then int8
    const [q, k, v] = graph.split(graph.linear(name, input, queryKeyValue), 3, hidden);
    return graph.fused('MultiHeadAttention', [q, k, v, bias, 'mask'], { num_heads: heads });
  }

  /** LayerNorm(residual + W input + bias) */
  function addAndNormalise(
    name: string,
    input: string,
    residual: string,
    layer: Dense,
    norm: Norm,
  ): string {
    const inputs = [
      graph.linear(name, input, layer),
      residual,
      ...normOf(name, norm),
      graph.vector(`${name}.bias`, layer.bias),
    ];
    return graph.fused('SkipLayerNormalization', inputs, { epsilon: { float: epsilon } });
  }

  function activation(name: string, input: string, bias: Float32Array): string {
    const shift = graph.vector(`${name}.bias`, bias);
    return config.activation === 'gelu'
      ? graph.fused('BiasGelu', [input, shift])
      : graph.node('Relu', [graph.node('Add', [input, shift])]);
  }

  function normOf(name: string, { gamma, beta }: Norm): string[] {
    return [graph.vector(`${name}.gamma`, gamma), graph.vector(`${name}.beta`, beta)];
  }
}
