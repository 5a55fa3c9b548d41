import type { EncodedTexts, Encoder } from '../../dist/entry/node.js';

const DIM = 16;
/** Tokens of a document that are encoded. */
export const READ = 40;

/** A token a word or mark: a direction by its letters, the same ones wherever it stands. */
function vectorOf(word: string): number[] {
  let state = 7;
  for (const char of word.toLowerCase()) state = (Math.imul(state, 31) + char.charCodeAt(0)) >>> 0;
  const values = Array.from({ length: DIM }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  });
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

const wordsOf = (text: string): RegExpExecArray[] => [
  ...text.matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu),
];

function encode(texts: readonly string[], most: number): EncodedTexts {
  const rows: number[] = [];
  const spans: number[] = [];
  const offsets = new Float64Array(texts.length + 1);
  let truncated = 0;
  const counts = Int32Array.from(texts, (text, i) => {
    const all = wordsOf(text);
    if (all.length > most) truncated++;
    const words = all.slice(0, most);
    for (const { 0: word, index } of words) {
      rows.push(...vectorOf(word));
      spans.push(index, index + word.length);
    }
    const count = Math.max(1, words.length);
    if (words.length === 0) {
      rows.push(...vectorOf(''));
      spans.push(0, 0);
    }
    offsets[i + 1] = offsets[i] + count;
    return count;
  });
  const vectors = Float32Array.from(rows);
  return { vectors, counts, offsets, dim: DIM, spans: Int32Array.from(spans), truncated };
}

/** An encoder whose tokens are words, which it counts. */
export function wordEncoder(): Encoder {
  return {
    id: 'words',
    dim: DIM,
    documentTokens: READ,
    countTokens: async (texts) => texts.map((text) => wordsOf(text).length),
    encodeQuery: async (texts) => encode(texts, Infinity),
    encodeDocument: async (texts) => encode(texts, READ),
    close: async () => {},
  };
}

/** Sentences of seven tokens that no other has. */
export function sentencesOf(name: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `The ${name} number ${i} is ${name}${i}. `).join(
    '',
  );
}
