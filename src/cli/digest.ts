import { createHash } from 'node:crypto';
import { pacer } from '../pacer.js';
import type { StoredTokens } from './collection.js';
import type { Texts } from './source.js';

/** Bytes hashed at a time. */
const PIECE = 1 << 23;

/** SHA-256 of ids, texts and judgements. */
export function digestTexts({ documents, queries, qrels }: Texts): string {
  const hash = createHash('sha256');
  for (const { id, title, text } of documents) hash.update(`${JSON.stringify([id, title, text])}\n`);
  for (const { id, text } of queries) hash.update(`${JSON.stringify([id, text])}\n`);
  for (const [query, grades] of qrels) hash.update(`${JSON.stringify([query, ...grades])}\n`);
  return hash.digest('hex');
}

/** SHA-256 of token vectors, and of the texts that they are of. */
export async function digestTokens({ vectors, counts, dim }: StoredTokens, texts: Texts | undefined, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256').update(`${dim}\n${texts ? digestTexts(texts) : ''}\n`);
  const pace = pacer(signal);
  for (const values of [counts, vectors]) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let from = 0; from < bytes.length; from += PIECE) {
      await pace();
      hash.update(bytes.subarray(from, from + PIECE));
    }
  }
  return hash.digest('hex');
}
