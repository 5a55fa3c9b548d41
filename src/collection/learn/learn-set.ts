import { encodeTexts } from '../../encoder/encode-texts.js';
import type { Encoder } from '../../encoder/encoder.js';
import { LemurError } from '../../errors.js';
import type { RunOptions } from '../../run-options.js';
import { joinTexts } from '../../tokens/join.js';
import { createRandom, permutation, type Random } from '../../tokens/random.js';
import { STREAM } from '../../tokens/random-streams.js';
import { type TokenInput, type TokenSets, tokenSetsOfDim } from '../../tokens/token-sets.js';
import type { Snapshot } from '../files/snapshot.js';
import { liveDocuments } from './sample.js';

/** Texts that are encoded in one call. */
const BATCH = 64;
/**
 * Characters of a text that are read, from a word somewhere in it: a number between these. Many
 * short texts tell more than few long ones, and encoders that fill queries up with mask tokens do
 * so with short ones alone: features must have seen what these become.
 */
const CHARACTERS = [20, 200] as const;
/** Fewer token vectors are not worth it. */
const LEAST = 1024;

/**
 * Token vectors to learn from that are not the documents' own: the caller's, or with an encoder
 * texts of the collection as it reads queries, `count` vectors and some more. What is asked of the
 * features is how well they tell queries, and an encoder reads these otherwise than documents.
 * undefined: there are none, as there is no encoder, or there are next to no texts.
 */
export async function learnSet(
  snapshot: Snapshot,
  encoder: Encoder | undefined,
  given: TokenInput | readonly string[] | undefined,
  count: number,
  seed: number,
  run: RunOptions,
): Promise<TokenSets | undefined> {
  if (isTexts(given)) {
    if (!encoder) {
      const message =
        'learn: texts, and this index has no encoder: open it with { encoder }, ' +
        'or give token vectors';
      throw new LemurError('invalid-argument', message, { where: 'learn' });
    }
    return encodeTexts(encoder, 'query', given, { dim: snapshot.manifest.dim, signal: run.signal });
  }
  if (given !== undefined && given !== null)
    return tokenSetsOfDim(given, snapshot.manifest.dim, 'learn', run.signal);
  return (
    encoder && textsAsQueries(snapshot, encoder, count, createRandom(seed, STREAM.learnTexts), run)
  );
}

async function textsAsQueries(
  snapshot: Snapshot,
  encoder: Encoder,
  count: number,
  random: Random,
  { signal, onProgress }: RunOptions,
): Promise<TokenSets | undefined> {
  const { dim } = snapshot.manifest;
  const live = liveDocuments(snapshot);
  const documents = permutation(random, live.length).map((i) => live[i]);
  const parts: Float32Array[] = [];
  let rows = 0;
  for (let at = 0; at < documents.length && rows < count; at += BATCH) {
    signal?.throwIfAborted();
    onProgress?.({ stage: 'learn tokens', done: rows, total: count });
    const records = await Promise.all(
      Array.from(documents.subarray(at, at + BATCH), (document) => snapshot.record(document)),
    );
    const texts = records.flatMap(({ text }) =>
      text?.trim() ? [randomExcerpt(text, random)] : [],
    );
    if (texts.length === 0) continue;
    const { vectors } = await encodeTexts(encoder, 'query', texts, { dim, signal });
    // a copy: an encoder may use its array again for the next texts
    parts.push(vectors.slice());
    rows += vectors.length / dim;
  }
  onProgress?.({ stage: 'learn tokens', done: Math.min(rows, count), total: count });
  return rows < Math.min(count, LEAST) ? undefined : await joinTexts(parts, dim, signal);
}

/** Some words of a text, from somewhere in it. */
function randomExcerpt(text: string, random: Random): string {
  const [least, most] = CHARACTERS;
  const length = least + random.integer(most - least + 1);
  if (text.length <= length) return text;
  const first = random.integer(text.length - length + 1);
  const from = first === 0 ? 0 : text.indexOf(' ', first - 1) + 1;
  const behind = text.lastIndexOf(' ', from + length);
  // texts without spaces are cut wherever that is
  return (
    (behind > from ? text.slice(from, behind) : text.slice(first, first + length)).trim() ||
    text.slice(0, length)
  );
}

function isTexts(given: TokenInput | readonly string[] | undefined): given is readonly string[] {
  return Array.isArray(given) && given.some((value) => typeof value === 'string');
}
