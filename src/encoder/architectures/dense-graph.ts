import { type GraphBuilder, graphBuilder } from '../graph/graph-builder.js';
import type { OnnxValue } from '../graph/onnx-writer.js';
import type { DenseActivation, DenseLayer } from './dense.js';

const STATES = 'last_hidden_state';
const PROJECTED = 'projected';

/**
 * Names the last node's output the body's states, puts the dense layers behind it and writes the
 * file.
 */
export function finishBody(
  graph: GraphBuilder,
  hidden: number,
  dense: readonly DenseLayer[],
): Uint8Array {
  graph.rename(STATES);
  const inputs: OnnxValue[] = ['input_ids', 'attention_mask'].map((name) => ({
    name,
    type: 'int64',
    dims: ['batch', 'tokens'],
  }));
  const outputs: OnnxValue[] = [
    { name: STATES, type: 'float32', dims: ['batch', 'tokens', hidden] },
  ];
  if (dense.length > 0) {
    addDense(graph, STATES, dense);
    graph.rename(PROJECTED);
    outputs.push({
      name: PROJECTED,
      type: 'float32',
      dims: ['batch', 'tokens', dense[dense.length - 1].outputs],
    });
  }
  return graph.write('body', inputs, outputs);
}

/**
 * Dense layers alone, for a body that is an ONNX file of its own. Input `states`, [rows, hidden];
 * output `projected`, [rows, dim].
 */
export function denseOnnx(dense: readonly DenseLayer[]): Uint8Array {
  const graph = graphBuilder();
  addDense(graph, 'states', dense);
  graph.rename(PROJECTED);
  return graph.write(
    'dense',
    [{ name: 'states', type: 'float32', dims: ['rows', dense[0].inputs] }],
    [{ name: PROJECTED, type: 'float32', dims: ['rows', dense[dense.length - 1].outputs] }],
  );
}

/** The last node is the last layer's. */
function addDense(graph: GraphBuilder, input: string, dense: readonly DenseLayer[]): void {
  let x = input;
  for (const [i, layer] of dense.entries()) {
    const { inputs, outputs, bias, residual } = layer;
    const name = `dense${i}`;
    // small and last: float32 whatever the body's precision is
    let y = graph.node('MatMul', [x, graph.transposed(name, layer)]);
    if (bias) y = graph.node('Add', [y, graph.vector(`${name}.bias`, bias)]);
    y = activate(graph, y, layer.activation);
    if (residual) {
      const other =
        residual === 'input'
          ? x
          : graph.node('MatMul', [
              x,
              graph.transposed(`${name}.residual`, { weight: residual, inputs, outputs }),
            ]);
      y = graph.node('Add', [y, other]);
    }
    x = y;
  }
}

function activate(graph: GraphBuilder, x: string, activation: DenseActivation): string {
  switch (activation) {
    case 'identity':
      return x;
    case 'tanh':
      return graph.node('Tanh', [x]);
    case 'relu':
      return graph.node('Relu', [x]);
    case 'sigmoid':
      return graph.node('Sigmoid', [x]);
    case 'silu':
      return graph.node('Mul', [x, graph.node('Sigmoid', [x])]);
    case 'gelu':
      return graph.fused('Gelu', [x]);
  }
}
