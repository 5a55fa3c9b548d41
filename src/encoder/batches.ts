import type { IdBatch } from './runtime/body.js';
import type { ArrangedText } from './text/recipe.js';

/** A batch that knows which texts it has. */
export interface TextBatch extends IdBatch {
  readonly texts: readonly number[];
}

type BatchedText = Pick<ArrangedText, 'ids' | 'attended'>;

/**
 * Groups texts of like length, the longest first, so that little is lost to padding and memory is
 * at its highest at the start: at most `batchTokens` tokens in each (longest text x texts; a longer
 * text is alone).
 */
export function textBatches(texts: readonly BatchedText[], batchTokens: number): TextBatch[] {
  const order = texts
    .map((_, i) => i)
    .sort((a, b) => texts[b].ids.length - texts[a].ids.length || a - b);
  const batches: TextBatch[] = [];
  for (let i = 0; i < order.length; ) {
    const count = Math.max(1, Math.floor(batchTokens / texts[order[i]].ids.length));
    batches.push(textBatch(texts, order.slice(i, i + count)));
    i += count;
  }
  return batches;
}

function textBatch(texts: readonly BatchedText[], indices: readonly number[]): TextBatch {
  const lengths = Int32Array.from(indices, (i) => texts[i].ids.length);
  const ids = new Int32Array(lengths.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const i of indices) {
    ids.set(texts[i].ids, at);
    at += texts[i].ids.length;
  }
  return {
    texts: indices,
    ids,
    lengths,
    attended: Int32Array.from(indices, (i) => texts[i].attended),
  };
}
