import type { BertConfig } from '../../../src/encoder/architectures/bert-config.js';
import type { BertWeights, Dense, Norm } from '../../../src/encoder/architectures/bert-weights.js';

/**
 * BERT's forward pass in float64, as the formulas read: the reference for the fast bodies. All
 * tokens look at the first `attended` ones. Returns tokens x hidden.
 */
export async function plainBert(
  config: BertConfig,
  weights: BertWeights,
  ids: readonly number[],
  attended: number = ids.length,
): Promise<Float64Array[]> {
  const { words, positions, unplaced, norm } = await weights.embeddings();
  const { hidden, heads, epsilon } = config;
  const size = hidden / heads;
  // a token without a position does not move those behind it
  const place = ids.map((id, t) =>
    id === config.unplaced
      ? -1
      : ids.slice(0, t).filter((other) => other !== config.unplaced).length,
  );
  const positionOf = (t: number, i: number): number =>
    place[t] < 0 ? unplaced![i] : positions[place[t] * hidden + i];
  let x = ids.map((id, t) =>
    layerNorm(
      vector(hidden, (i) => words[id * hidden + i] + positionOf(t, i)),
      norm,
    ),
  );
  for (let l = 0; l < config.layers; l++) {
    const layer = await weights.layer(l);
    const qkv = x.map((row) => dense(layer.queryKeyValue, row));
    const context = x.map((_, i) => {
      const out = new Float64Array(hidden);
      for (let h = 0; h < heads; h++) {
        const at = h * size;
        const scores = qkv.slice(0, attended).map((key) => {
          let dot = 0;
          for (let c = 0; c < size; c++) dot += qkv[i][at + c] * key[hidden + at + c];
          return Math.exp(dot / Math.sqrt(size));
        });
        const sum = scores.reduce((a, b) => a + b);
        for (let c = 0; c < size; c++)
          out[at + c] = scores.reduce(
            (s, score, j) => s + (score / sum) * qkv[j][2 * hidden + at + c],
            0,
          );
      }
      return out;
    });
    x = x.map((row, i) =>
      layerNorm(add(dense(layer.attentionOutput, context[i]), row), layer.attentionNorm),
    );
    x = x.map((row) => {
      const inner = dense(layer.intermediate, row).map(
        config.activation === 'gelu' ? gelu : (v) => Math.max(0, v),
      );
      return layerNorm(add(dense(layer.output, inner), row), layer.outputNorm);
    });
  }
  return x;

  function layerNorm(row: Float64Array, { gamma, beta }: Norm): Float64Array {
    const mean = row.reduce((a, b) => a + b) / hidden;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / hidden;
    return row.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * gamma[i] + beta[i]);
  }
}

function dense({ weight, bias, inputs, outputs }: Dense, row: Float64Array): Float64Array {
  return vector(outputs, (o) =>
    row.reduce((sum, v, i) => sum + v * weight[o * inputs + i], bias[o]),
  );
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((v, i) => v + b[i]);
}

function vector(length: number, value: (i: number) => number): Float64Array {
  return Float64Array.from({ length }, (_, i) => value(i));
}

export function gelu(x: number): number {
  return (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** By its Taylor series, good to about 1e-12 below 4, and 1 beyond. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
