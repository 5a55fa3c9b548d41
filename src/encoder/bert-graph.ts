import type { BertConfig } from './bert-config.js';
import type { BertEmbeddings, BertWeights, Dense, Norm } from './bert-weights.js';
import type { Projection } from './body.js';
import { type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValue, writeOnnx } from './onnx-writer.js';

/**
 * Builds an ONNX model of a BERT body. Inputs: `input_ids` and `attention_mask`, [batch, tokens] int64 (1 for a token, 0 for padding after
 * them). Outputs: `last_hidden_state`, [batch, tokens, hidden], and with a projection `projected`, [batch, tokens, dim]; float32.
 *
 * Attention, skip-layer-norm and bias-GELU are written as ONNX Runtime's own fused operators (domain com.microsoft), which its graph
 * optimiser would otherwise have to recognise.
 */
export async function bertOnnx(config: BertConfig, weights: BertWeights, projection: Projection | undefined): Promise<Uint8Array> {
  const { hidden, heads, epsilon } = config;
  const nodes: OnnxNode[] = [];
  const constants: OnnxTensor[] = [];

  let x = embed(await weights.embeddings(), config);
  for (let i = 0; i < config.layers; i++) {
    const layer = await weights.layer(i);
    const at = `layer${i}`;
    const { queryKeyValue } = layer;
    const context = fused('Attention', [x, matrix(`${at}.qkv`, queryKeyValue), vector(`${at}.qkv.bias`, queryKeyValue.bias), 'mask'], {
      num_heads: heads,
    });
    x = addAndNormalise(`${at}.attention`, context, x, layer.attentionOutput, layer.attentionNorm);
    const inner = activation(`${at}.inner`, node('MatMul', [x, matrix(`${at}.inner`, layer.intermediate)]), layer.intermediate.bias);
    x = addAndNormalise(`${at}.output`, inner, x, layer.output, layer.outputNorm);
  }
  rename('last_hidden_state');
  const outputs: OnnxValue[] = [{ name: 'last_hidden_state', type: 'float32', dims: ['batch', 'tokens', hidden] }];
  if (projection) {
    constants.push({ name: 'projection', dims: [hidden, projection.dim], type: 'float32', data: projection.matrix });
    node('MatMul', ['last_hidden_state', 'projection']);
    rename('projected');
    outputs.push({ name: 'projected', type: 'float32', dims: ['batch', 'tokens', projection.dim] });
  }
  const inputs: OnnxValue[] = ['input_ids', 'attention_mask'].map((name) => ({ name, type: 'int64', dims: ['batch', 'tokens'] }));
  return writeOnnx({ name: 'bert', nodes, inputs, outputs, constants }, { '': 17, 'com.microsoft': 1 });

  function embed(embeddings: BertEmbeddings, { vocabulary, positions }: BertConfig): string {
    constants.push({ name: 'words', dims: [vocabulary, hidden], type: 'float32', data: embeddings.words });
    constants.push({ name: 'positions', dims: [positions, hidden], type: 'float32', data: embeddings.positions });
    constants.push({ name: 'zero', dims: [1], type: 'int64', data: BigInt64Array.of(0n) });
    nodes.push({ op: 'Cast', inputs: ['attention_mask'], outputs: ['mask'], attributes: { to: 6 } }); // int32
    const tokens = node('Shape', ['input_ids'], { start: 1, end: 2 });
    const sum = node('Add', [node('Gather', ['words', 'input_ids']), node('Slice', ['positions', 'zero', tokens, 'zero'])]);
    return node('LayerNormalization', [sum, ...norm('embeddings', embeddings.norm)], { epsilon: { float: epsilon } });
  }

  /** LayerNorm(residual + W input + bias) */
  function addAndNormalise(name: string, input: string, residual: string, dense: Dense, { gamma, beta }: Norm): string {
    const product = node('MatMul', [input, matrix(name, dense)]);
    const inputs = [product, residual, ...norm(name, { gamma, beta }), vector(`${name}.bias`, dense.bias)];
    return fused('SkipLayerNormalization', inputs, { epsilon: { float: epsilon } });
  }

  function activation(name: string, input: string, bias: Float32Array): string {
    const shift = vector(`${name}.bias`, bias);
    return config.activation === 'gelu' ? fused('BiasGelu', [input, shift]) : node('Relu', [node('Add', [input, shift])]);
  }

  function norm(name: string, { gamma, beta }: Norm): string[] {
    return [vector(`${name}.gamma`, gamma), vector(`${name}.beta`, beta)];
  }

  function vector(name: string, data: Float32Array): string {
    constants.push({ name, dims: [data.length], type: 'float32', data });
    return name;
  }

  /** The weights transposed, inputs x outputs, as MatMul has them on its right. */
  function matrix(name: string, { weight, inputs, outputs }: Dense): string {
    const data = new Float32Array(weight.length);
    for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) data[i * outputs + o] = weight[o * inputs + i];
    constants.push({ name: `${name}.weight`, dims: [inputs, outputs], type: 'float32', data });
    return `${name}.weight`;
  }

  function node(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>, domain?: string): string {
    const output = `${op}_${nodes.length}`;
    nodes.push({ op, domain, inputs, outputs: [output], attributes });
    return output;
  }

  function fused(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>): string {
    return node(op, inputs, attributes, 'com.microsoft');
  }

  /** Gives the last node's output a name of its own. */
  function rename(output: string): void {
    nodes.push({ ...(nodes.pop() as OnnxNode), outputs: [output] });
  }
}
