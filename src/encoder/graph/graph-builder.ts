import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxValue } from './onnx-writer.js';
import { writeOnnx } from './onnx-writer.js';

/**
 * How the products with weights are computed: in float32, or in int8 with factors for each output
 * and, found as it runs, for each row of the input.
 */
export type ProductPrecision = 'float32' | 'int8';

/** How a body's graph is written. */
export interface GraphOptions {
  readonly precision: ProductPrecision;
  /** Largest code of a weight in int8; `EXACT_WEIGHT` is exact on every processor. */
  readonly largestWeight?: number | undefined;
  /**
   * Attention as one of ONNX Runtime's fused operators, or in plain ones, which all execution
   * providers have.
   */
  readonly attention: 'fused' | 'plain';
}

/** A matrix of outputs x inputs. */
export interface Matrix {
  readonly weight: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * How often the input of a product in int8 is rounded: twice, so that what the first time leaves is
 * multiplied too, where errors tell most.
 */
export type InputRounding = 'once' | 'twice';

/**
 * Largest code of a weight where processors add products of two bytes in pairs of 16 bits:
 * saturates beyond it.
 */
export const EXACT_WEIGHT = 63;

type Attributes = Record<string, OnnxAttribute>;

/** A graph that is being written; every method that adds a node gives the name of its output. */
export interface GraphBuilder {
  /** An operator of ONNX's own. */
  node(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** One of ONNX Runtime's fused operators (domain com.microsoft). */
  fused(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** As many outputs, each the next `width` values of the last axis. */
  split(input: string, parts: number, width: number): string[];
  constant(name: string, tensor: Omit<OnnxTensor, 'name'>): string;
  vector(name: string, data: Float32Array): string;
  /** weight input, without a bias. */
  linear(name: string, input: string, matrix: Matrix, rounding?: InputRounding): string;
  /**
   * weight input + added, of an input of rows x inputs; `added` has outputs values, or rows x
   * outputs.
   */
  linearPlus(
    name: string,
    input: string,
    matrix: Matrix,
    added: string,
    rounding?: InputRounding,
  ): string;
  /**
   * The weights transposed, inputs x outputs, as operators have them on their right; always
   * float32.
   */
  transposed(name: string, matrix: Matrix): string;
  /** Gives the last node's output a name of its own. */
  rename(output: string): void;
  /** The file. */
  write(name: string, inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array;
}

export function graphBuilder(
  { precision, largestWeight = EXACT_WEIGHT }: Pick<GraphOptions, 'precision' | 'largestWeight'> = {
    precision: 'float32',
  },
): GraphBuilder {
  return new Graph(precision, largestWeight);
}

class Graph implements GraphBuilder {
  readonly #precision: ProductPrecision;
  readonly #largestWeight: number;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: OnnxTensor[] = [];

  constructor(precision: ProductPrecision, largestWeight: number) {
    this.#precision = precision;
    this.#largestWeight = largestWeight;
  }

  node(op: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.#add(op, inputs, attributes);
  }

  fused(op: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.#add(op, inputs, attributes, 'com.microsoft');
  }

  split(input: string, parts: number, width: number): string[] {
    const name = `Split_${this.#nodes.length}`;
    const outputs = Array.from({ length: parts }, (_, i) => `${name}_${i}`);
    // WebGPU wants to be told the widths
    const data = new BigInt64Array(parts).fill(BigInt(width));
    const widths = this.constant(`${name}.widths`, { dims: [parts], type: 'int64', data });
    this.#nodes.push({ op: 'Split', inputs: [input, widths], outputs, attributes: { axis: -1 } });
    return outputs;
  }

  constant(name: string, tensor: Omit<OnnxTensor, 'name'>): string {
    this.#constants.push({ name, ...tensor });
    return name;
  }

  vector(name: string, data: Float32Array): string {
    return this.constant(name, { dims: [data.length], type: 'float32', data });
  }

  transposed(name: string, { weight, inputs, outputs }: Matrix): string {
    const data = new Float32Array(weight.length);
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++) data[i * outputs + o] = weight[o * inputs + i];
    return this.constant(`${name}.weight`, { dims: [inputs, outputs], type: 'float32', data });
  }

  linear(name: string, input: string, matrix: Matrix, rounding: InputRounding = 'once'): string {
    if (this.#precision === 'float32')
      return this.node('MatMul', [input, this.transposed(name, matrix)]);
    return this.#int8(name, input, matrix, rounding);
  }

  linearPlus(
    name: string,
    input: string,
    matrix: Matrix,
    added: string,
    rounding: InputRounding = 'once',
  ): string {
    if (this.#precision === 'float32')
      return this.node('Gemm', [input, this.transposed(name, matrix), added]);
    return this.node('Add', [this.#int8(name, input, matrix, rounding), added]);
  }

  rename(output: string): void {
    this.#nodes.push({ ...(this.#nodes.pop() as OnnxNode), outputs: [output] });
  }

  write(name: string, inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array {
    const graph = { name, nodes: this.#nodes, inputs, outputs, constants: this.#constants };
    return writeOnnx(graph, { '': 17, 'com.microsoft': 1 });
  }

  /**
   * The product of codes. Each row of the input is divided by its largest absolute value first, so
   * that one step, a constant, is for all.
   */
  #int8(name: string, input: string, matrix: Matrix, rounding: InputRounding): string {
    const { inputs, outputs } = matrix;
    const { codes, scales } = int8Columns(matrix, this.#largestWeight);
    const int8 = (what: string, dims: readonly number[], data: Int8Array): string =>
      this.constant(`${name}.${what}`, { dims, type: 'int8', data });
    const weights = [
      int8('codes', [inputs, outputs], codes),
      this.vector(`${name}.scales`, scales),
      int8('zeros', [outputs], new Int8Array(outputs)),
    ];
    const scalar = (what: string, value: number): string =>
      this.constant(`${name}.${what}`, { dims: [], type: 'float32', data: Float32Array.of(value) });
    const middle = this.constant(`${name}.middle`, {
      dims: [],
      type: 'uint8',
      data: Uint8Array.of(128),
    });
    const product = (rounded: string, step: string): string =>
      this.fused('MatMulIntegerToFloat', [
        rounded,
        weights[0],
        step,
        weights[1],
        middle,
        weights[2],
      ]);
    const size = { axes: [-1], keepdims: 1 };
    const largest = this.node('Max', [
      this.node('ReduceMax', [this.node('Abs', [input])], size),
      scalar('least', LEAST),
    ]);
    const unit = this.node('Div', [input, largest]);
    const step = scalar('step', 1 / 127);
    const rounded = this.node('QuantizeLinear', [unit, step, middle]);
    let sum = product(rounded, step);
    if (rounding === 'twice') {
      const left = this.node('Sub', [unit, this.node('DequantizeLinear', [rounded, step, middle])]);
      const small = scalar('smallStep', 1 / (127 * 254));
      const again = this.node('QuantizeLinear', [left, small, middle]);
      sum = this.node('Add', [sum, product(again, small)]);
    }
    return this.node('Mul', [sum, largest]);
  }

  #add(
    op: string,
    inputs: readonly string[],
    attributes: Attributes | undefined,
    domain?: string,
  ): string {
    const output = `${op}_${this.#nodes.length}`;
    this.#nodes.push({ op, domain, inputs, outputs: [output], attributes });
    return output;
  }
}

/** What is no larger counts as zero: the rows of a product are divided by their largest value. */
const LEAST = 1e-30;

/** The weights transposed as int8, each output by a factor of its own. */
function int8Columns(
  { weight, inputs, outputs }: Matrix,
  most: number,
): { codes: Int8Array; scales: Float32Array } {
  const codes = new Int8Array(weight.length);
  const scales = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let largest = 0;
    for (let i = 0; i < inputs; i++) largest = Math.max(largest, Math.abs(weight[o * inputs + i]));
    scales[o] = largest > 0 ? largest / most : 1;
    for (let i = 0; i < inputs; i++)
      codes[i * outputs + o] = Math.round(weight[o * inputs + i] / scales[o]);
  }
  return { codes, scales };
}
