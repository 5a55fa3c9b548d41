import type { BeirDocument } from '../formats/texts/beir.js';
import { documentText } from './document-text.js';

/**
 * Texts that are encoded and committed together, about a second's work: what an interruption costs.
 */
const MOST_TEXTS = 256;
const MOST_CHARACTERS = 32_768;
/** Of a text, about as many as are encoded. */
const CHARACTERS_OF_EACH = 2048;
/** Documents that come slowly wait no longer than this for more of them, in milliseconds. */
const PATIENCE_MS = 1000;

/**
 * Documents as they come, in groups: which those are depends on the documents alone, as long as
 * they come quickly. Ends the source when it is left. Where the signal is what ended the source,
 * gives what had come before. `most`: characters of a document that are encoded.
 */
export async function* groups(
  documents: AsyncIterable<BeirDocument>,
  signal?: AbortSignal | undefined,
  most: number = CHARACTERS_OF_EACH,
): AsyncGenerator<BeirDocument[], void, undefined> {
  const iterator = documents[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (let ended = false; !ended; ) {
      const group: BeirDocument[] = [];
      let characters = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let late: Promise<undefined> | undefined;
      try {
        while (group.length < MOST_TEXTS && characters < MOST_CHARACTERS) {
          const step = await (late ? Promise.race([next, late]) : next);
          if (step?.done) ended = true;
          if (!step || step.done) break;
          group.push(step.value);
          characters += Math.min(documentText(step.value).length, most);
          next = iterator.next();
          // heard of where nobody waits for it at the moment
          next.catch(() => {});
          late ??= new Promise((resolve) => {
            timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
          });
        }
      } catch (error) {
        if (!signal?.aborted || group.length === 0) throw error;
        ended = true;
      } finally {
        clearTimeout(timer);
      }
      if (group.length > 0) yield group;
    }
  } finally {
    await iterator.return?.();
  }
}

/**
 * All documents again, when the first group has been read: what is wrong with it is known before
 * anything is made.
 */
export async function begun(
  documents: AsyncIterable<BeirDocument>,
): Promise<AsyncIterable<BeirDocument>> {
  const rest = groups(documents);
  const first = await rest.next();
  return (async function* (): AsyncGenerator<BeirDocument, void, undefined> {
    try {
      if (!first.done) yield* first.value;
      for await (const group of rest) yield* group;
    } finally {
      await rest.return();
    }
  })();
}
