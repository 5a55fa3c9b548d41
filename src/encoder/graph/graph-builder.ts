import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxValue } from './onnx-writer.js';
import { writeOnnx } from './onnx-writer.js';

/**
 * How the products with weights are computed: in float32, or in int8 with factors for each output
 * and, found as it runs, for each input.
 */
export type ProductPrecision = 'float32' | 'int8';

/** How a body's graph is written. */
export interface GraphOptions {
  readonly precision: ProductPrecision;
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
  linear(name: string, input: string, matrix: Matrix): string;
  /**
   * weight input + added, of an input of rows x inputs; `added` has outputs values, or rows x
   * outputs.
   */
  linearPlus(name: string, input: string, matrix: Matrix, added: string): string;
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

export function graphBuilder(precision: ProductPrecision = 'float32'): GraphBuilder {
  return new Graph(precision);
}

class Graph implements GraphBuilder {
  readonly #precision: ProductPrecision;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants: OnnxTensor[] = [];

  constructor(precision: ProductPrecision) {
    this.#precision = precision;
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

  linear(name: string, input: string, matrix: Matrix): string {
    if (this.#precision === 'float32')
      return this.node('MatMul', [input, this.transposed(name, matrix)]);
    const { inputs, outputs } = matrix;
    const { codes, scales } = int8Columns(matrix);
    const int8 = (what: string, dims: readonly number[], data: Int8Array): string =>
      this.constant(`${name}.${what}`, { dims, type: 'int8', data });
    return this.fused('DynamicQuantizeMatMul', [
      input,
      int8('codes', [inputs, outputs], codes),
      this.vector(`${name}.scales`, scales),
      int8('zeros', [outputs], new Int8Array(outputs)),
    ]);
  }

  linearPlus(name: string, input: string, matrix: Matrix, added: string): string {
    if (this.#precision === 'float32')
      return this.node('Gemm', [input, this.transposed(name, matrix), added]);
    return this.node('Add', [this.linear(name, input, matrix), added]);
  }

  rename(output: string): void {
    this.#nodes.push({ ...(this.#nodes.pop() as OnnxNode), outputs: [output] });
  }

  write(name: string, inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array {
    const graph = { name, nodes: this.#nodes, inputs, outputs, constants: this.#constants };
    return writeOnnx(graph, { '': 17, 'com.microsoft': 1 });
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

/**
 * Largest code of a weight: processors that add products of two bytes in pairs saturate beyond it.
 */
const MOST = 63;

/** The weights transposed as int8, each output by a factor of its own. */
function int8Columns({ weight, inputs, outputs }: Matrix): {
  codes: Int8Array;
  scales: Float32Array;
} {
  const codes = new Int8Array(weight.length);
  const scales = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let largest = 0;
    for (let i = 0; i < inputs; i++) largest = Math.max(largest, Math.abs(weight[o * inputs + i]));
    scales[o] = largest > 0 ? largest / MOST : 1;
    for (let i = 0; i < inputs; i++)
      codes[i * outputs + o] = Math.round(weight[o * inputs + i] / scales[o]);
  }
  return { codes, scales };
}
