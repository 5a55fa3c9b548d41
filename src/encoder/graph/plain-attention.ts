import type { GraphBuilder } from './graph-builder.js';

/** What is added to a score that is to count for nothing. */
export const NEVER = -1e9;

/**
 * The mask as numbers that are added to the scores, [batch, 1, 1, tokens]: 0, or `NEVER` for a
 * token that nobody looks at.
 */
export function maskAsBias(graph: GraphBuilder): string {
  const scalar = (name: string, value: number): string =>
    graph.constant(name, { dims: [], type: 'float32', data: Float32Array.of(value) });
  const mask = graph.node('Cast', ['attention_mask'], { to: 1 }); // float32
  const bias = graph.node('Mul', [
    graph.node('Sub', [scalar('mask.one', 1), mask]),
    scalar('mask.never', NEVER),
  ]);
  return graph.node('Unsqueeze', [bias, whole(graph, 'mask.axes', [1, 2])]);
}

/** Attention of Q, K and V, with what is added to the scores. */
export type PlainAttention = (parts: readonly string[], bias: string) => string;

/**
 * softmax(Q K^T / sqrt(size) + bias) V for each head, of `parts` Q, K and V, [batch, tokens,
 * hidden]; in operators that every execution provider has: those that are fused take no mask on
 * WebGPU.
 */
export function plainAttention(
  graph: GraphBuilder,
  { heads, hidden }: { readonly heads: number; readonly hidden: number },
): PlainAttention {
  const size = hidden / heads;
  const apart = whole(graph, 'attention.apart', [0, 0, heads, size]);
  const together = whole(graph, 'attention.together', [0, 0, hidden]);
  const scale = graph.constant('attention.scale', {
    dims: [],
    type: 'float32',
    data: Float32Array.of(1 / Math.sqrt(size)),
  });
  return (parts, bias) => {
    const [q, k, v] = parts.map((part, i) =>
      graph.node('Transpose', [graph.node('Reshape', [part, apart])], {
        perm: i === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3],
      }),
    );
    const scores = graph.node('Add', [
      graph.node('Mul', [graph.node('MatMul', [q, k]), scale]),
      bias,
    ]);
    const context = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), v]);
    return graph.node('Reshape', [
      graph.node('Transpose', [context], { perm: [0, 2, 1, 3] }),
      together,
    ]);
  };
}

function whole(graph: GraphBuilder, name: string, values: readonly number[]): string {
  return graph.constant(name, {
    dims: [values.length],
    type: 'int64',
    data: BigInt64Array.from(values, BigInt),
  });
}
