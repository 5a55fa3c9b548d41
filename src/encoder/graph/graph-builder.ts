import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxValue } from './onnx-writer.js';
import { writeOnnx } from './onnx-writer.js';

/**
 * How the products with weights are computed: in float32, or in int8 with factors for each output
 * and, found as it runs, for each input.
 */
export type Precision = 'float32' | 'int8';

/** How a body's graph is written. */
export interface GraphOptions {
  readonly precision: Precision;
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

/** A graph that is being written; every method that adds a node gives the name of its output. */
export interface GraphBuilder {
  /** An operator of ONNX's own. */
  node(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>): string;
  /** One of ONNX Runtime's fused operators (domain com.microsoft). */
  fused(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>): string;
  /** As many outputs, each the next `width` values of the last axis. */
  split(input: string, parts: number, width: number): string[];
  constant(name: string, tensor: Omit<OnnxTensor, 'name'>): string;
  vector(name: string, data: Float32Array): string;
  /** weight input, without a bias. */
  linear(name: string, input: string, matrix: Matrix): string;
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

export function graphBuilder(precision: Precision = 'float32'): GraphBuilder {
  const nodes: OnnxNode[] = [];
  const constants: OnnxTensor[] = [];
  const add = (
    op: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute> | undefined,
    domain?: string,
  ): string => {
    const output = `${op}_${nodes.length}`;
    nodes.push({ op, domain, inputs, outputs: [output], attributes });
    return output;
  };
  const builder: GraphBuilder = {
    node: (op, inputs, attributes) => add(op, inputs, attributes),
    fused: (op, inputs, attributes) => add(op, inputs, attributes, 'com.microsoft'),
    split(input, parts, width) {
      const outputs = Array.from({ length: parts }, (_, i) => `Split_${nodes.length}_${i}`);
      // WebGPU wants to be told the widths
      const data = new BigInt64Array(parts).fill(BigInt(width));
      const widths = builder.constant(`Split_${nodes.length}.widths`, {
        dims: [parts],
        type: 'int64',
        data,
      });
      nodes.push({ op: 'Split', inputs: [input, widths], outputs, attributes: { axis: -1 } });
      return outputs;
    },
    constant(name, tensor) {
      constants.push({ name, ...tensor });
      return name;
    },
    vector: (name, data) => builder.constant(name, { dims: [data.length], type: 'float32', data }),
    transposed(name, { weight, inputs, outputs }) {
      const data = new Float32Array(weight.length);
      for (let o = 0; o < outputs; o++)
        for (let i = 0; i < inputs; i++) data[i * outputs + o] = weight[o * inputs + i];
      return builder.constant(`${name}.weight`, { dims: [inputs, outputs], type: 'float32', data });
    },
    linear(name, input, matrix) {
      if (precision === 'float32')
        return builder.node('MatMul', [input, builder.transposed(name, matrix)]);
      const { inputs, outputs } = matrix;
      const { codes, scales } = int8Columns(matrix);
      const weight = builder.constant(`${name}.codes`, {
        dims: [inputs, outputs],
        type: 'int8',
        data: codes,
      });
      const zeros = builder.constant(`${name}.zeros`, {
        dims: [outputs],
        type: 'int8',
        data: new Int8Array(outputs),
      });
      return builder.fused('DynamicQuantizeMatMul', [
        input,
        weight,
        builder.vector(`${name}.scales`, scales),
        zeros,
      ]);
    },
    rename(output) {
      nodes.push({ ...(nodes.pop() as OnnxNode), outputs: [output] });
    },
    write: (name, inputs, outputs) =>
      writeOnnx({ name, nodes, inputs, outputs, constants }, { '': 17, 'com.microsoft': 1 }),
  };
  return builder;
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
