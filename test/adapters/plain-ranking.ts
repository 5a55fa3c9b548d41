import type { EncodedTexts, Encoder } from '../../dist/entry/node-encoder.js';

function rowsOf({ vectors, offsets, counts, dim }: EncodedTexts, text: number): Float32Array[] {
  return Array.from({ length: counts[text] }, (_, i) => {
    const row = Number(offsets[text]) + i;
    return vectors.subarray(row * dim, (row + 1) * dim);
  });
}

/** MaxSim divided by the query's tokens, as its formula has it. */
export async function plainScores(
  encoder: Encoder,
  query: string,
  texts: readonly string[],
): Promise<number[]> {
  const asked = rowsOf(await encoder.encodeQuery([query]), 0);
  const documents = await encoder.encodeDocument(texts);
  return texts.map((_, text) => {
    const rows = rowsOf(documents, text);
    const dot = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, value, i) => sum + value * b[i], 0);
    const best = asked.map((token) => Math.max(...rows.map((row) => dot(token, row))));
    return best.reduce((sum, value) => sum + value, 0) / asked.length;
  });
}

/** Numbers of texts, the best first. */
export function plainOrder(scores: readonly number[]): number[] {
  return scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
}
