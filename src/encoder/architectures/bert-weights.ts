import type { TensorFile } from '../../formats/safetensors/tensor-file.js';
import type { BertConfig } from './bert-config.js';
import { type TensorReader, tensorReader } from './tensor-reader.js';

/** y = weight x + bias; `weight` is outputs x inputs, row-major. */
export interface Dense {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
}

/** LayerNorm's scale and shift. */
export interface Norm {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/**
 * Token embeddings: vocabulary x hidden, and positions x hidden with the embedding of token type 0
 * added.
 */
export interface BertEmbeddings {
  readonly words: Float32Array;
  readonly positions: Float32Array;
  /** What a token that takes no position has instead. */
  readonly unplaced: Float32Array | undefined;
  readonly norm: Norm;
}

/**
 * One transformer layer; `queryKeyValue` is the three projections one after the other, 3 hidden
 * outputs.
 */
export interface BertLayer {
  readonly queryKeyValue: Dense;
  readonly attentionOutput: Dense;
  readonly attentionNorm: Norm;
  readonly intermediate: Dense;
  readonly output: Dense;
  readonly outputNorm: Norm;
}

/**
 * Reads a body's weights from their file part by part, as float32, so that they are not all in
 * memory at once.
 */
export interface BertWeights {
  embeddings(): Promise<BertEmbeddings>;
  layer(index: number): Promise<BertLayer>;
}

/**
 * The weights of a BERT or RoBERTa body in a safetensors file; names may have the prefix `bert.` or
 * `roberta.`. `where` names the file in errors. Every tensor's presence, type and shape is checked
 * at once, from the header: raises `bad-file`.
 */
export function bertWeights(file: TensorFile, config: BertConfig, where: string): BertWeights {
  const reader = tensorReader(file, {
    prefixes: ['', 'bert.', 'roberta.'],
    probe: WORDS,
    what: 'BERT',
    where,
  });
  checkShapes(reader, config);
  return {
    embeddings: () => readEmbeddings(reader, config),
    layer: (index) => readLayer(reader, config, layerName(index)),
  };
}

const WORDS = 'embeddings.word_embeddings.weight';
const POSITIONS = 'embeddings.position_embeddings.weight';
const TYPES = 'embeddings.token_type_embeddings.weight';

/** Raises 'bad-file' for a tensor that is missing, or of another type or shape. */
function checkShapes(reader: TensorReader, config: BertConfig): void {
  const { hidden, intermediate, vocabulary, positions, firstPosition, layers } = config;
  const { check } = reader;
  const checkDense = (name: string, outputs: number, inputs: number): void => {
    check(`${name}.weight`, outputs, inputs);
    check(`${name}.bias`, outputs);
  };
  const checkNorm = (name: string): void => {
    for (const tensor of normTensors(reader, name)) check(tensor, hidden);
  };
  check(WORDS, vocabulary, hidden);
  check(POSITIONS, firstPosition + positions, hidden);
  check(TYPES, undefined, hidden);
  checkNorm('embeddings.LayerNorm');
  for (let i = 0; i < layers; i++) {
    const at = layerName(i);
    for (const name of selfAttention) checkDense(`${at}.attention.self.${name}`, hidden, hidden);
    checkDense(`${at}.attention.output.dense`, hidden, hidden);
    checkNorm(`${at}.attention.output.LayerNorm`);
    checkDense(`${at}.intermediate.dense`, intermediate, hidden);
    checkDense(`${at}.output.dense`, hidden, intermediate);
    checkNorm(`${at}.output.LayerNorm`);
  }
}

async function readEmbeddings(
  reader: TensorReader,
  { hidden, positions, firstPosition, unplaced }: BertConfig,
): Promise<BertEmbeddings> {
  const from = unplaced === undefined ? firstPosition : firstPosition - 1;
  const sum = await reader.read(POSITIONS, [from, firstPosition + positions]);
  const type = await reader.read(TYPES, [0, 1]);
  for (let i = 0; i < sum.length; i++) sum[i] += type[i % hidden];
  const placed = firstPosition - from;
  return {
    words: await reader.read(WORDS),
    positions: sum.subarray(placed * hidden),
    unplaced: placed > 0 ? sum.subarray(0, placed * hidden) : undefined,
    norm: await readNorm(reader, 'embeddings.LayerNorm'),
  };
}

async function readLayer(
  reader: TensorReader,
  { hidden, intermediate }: BertConfig,
  at: string,
): Promise<BertLayer> {
  const projections: Dense[] = [];
  for (const name of selfAttention)
    projections.push(await readDense(reader, `${at}.attention.self.${name}`, hidden, hidden));
  return {
    queryKeyValue: stack(projections),
    attentionOutput: await readDense(reader, `${at}.attention.output.dense`, hidden, hidden),
    attentionNorm: await readNorm(reader, `${at}.attention.output.LayerNorm`),
    intermediate: await readDense(reader, `${at}.intermediate.dense`, intermediate, hidden),
    output: await readDense(reader, `${at}.output.dense`, hidden, intermediate),
    outputNorm: await readNorm(reader, `${at}.output.LayerNorm`),
  };
}

async function readDense(
  { read }: TensorReader,
  name: string,
  outputs: number,
  inputs: number,
): Promise<Dense> {
  const weight = await read(`${name}.weight`);
  return { weight, bias: await read(`${name}.bias`), outputs, inputs };
}

async function readNorm(reader: TensorReader, name: string): Promise<Norm> {
  const [scale, shift] = normTensors(reader, name);
  return { gamma: await reader.read(scale), beta: await reader.read(shift) };
}

/** Scale and shift, which older versions of the Transformers library call gamma and beta. */
function normTensors({ has }: TensorReader, name: string): readonly [string, string] {
  return has(`${name}.gamma`) && !has(`${name}.weight`)
    ? [`${name}.gamma`, `${name}.beta`]
    : [`${name}.weight`, `${name}.bias`];
}

const selfAttention = ['query', 'key', 'value'] as const;

function layerName(index: number): string {
  return `encoder.layer.${index}`;
}

/** Several dense layers of the same input as one, outputs one after the other. */
function stack(parts: readonly Dense[]): Dense {
  const { inputs } = parts[0];
  const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
  const weight = new Float32Array(outputs * inputs);
  const bias = new Float32Array(outputs);
  let at = 0;
  for (const part of parts) {
    weight.set(part.weight, at * inputs);
    bias.set(part.bias, at);
    at += part.outputs;
  }
  return { weight, bias, inputs, outputs };
}
