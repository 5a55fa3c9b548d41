import type { TextPassage } from '../../passages/cut-text.js';
import type { Cutting } from '../../passages/passages-of.js';
import { platform } from '../../platform.js';
import type { CheckedDocument } from '../metadata/document.js';
import { type PassageRecord, passageId } from '../metadata/passage-record.js';
import { type AdmittedDocuments, COMMIT } from './admission.js';

/** A document on its way into a segment: a whole one, or a passage of one. */
export interface StoredPart extends CheckedDocument {
  readonly passage?: PassageRecord | undefined;
  /** Whether more of the same document follow. */
  readonly goesOn?: boolean | undefined;
}

/** Documents, or their passages, and where a commit must come between two documents. */
export type StoredParts = AsyncIterable<StoredPart | typeof COMMIT>;

/**
 * The passages of documents, each with its document's metadata; those that come with token vectors
 * are a passage as they are. Rejects as cutting does.
 */
export async function* cutDocuments(
  documents: AdmittedDocuments,
  cutting: Cutting,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredPart | typeof COMMIT> {
  for await (const document of documents) {
    if (document === COMMIT) yield document;
    else {
      const passagesOf = await platform().loadCutter();
      const { id, text = '' } = document;
      yield* partsOf(document, passagesOf(id, text, cutting, signal));
    }
  }
}

type AnyPassage = Partial<TextPassage> & Pick<TextPassage, 'lines'>;

async function* partsOf(
  { id, text, tokens, metadata, mirror }: CheckedDocument,
  passages: AsyncIterable<TextPassage>,
): AsyncGenerator<StoredPart> {
  if (tokens !== undefined) {
    const passage = text === undefined ? {} : { ...wholeOf(text), context: 0, length: text.length };
    yield { id: passageId(id, 1), text, tokens, metadata, passage, mirror };
    return;
  }
  let number = 0;
  let waiting: AnyPassage | undefined;
  const part = (passage: AnyPassage, goesOn: boolean): StoredPart => {
    const { text: own, ...place } = passage;
    return {
      id: passageId(id, ++number),
      text: own,
      tokens: undefined,
      metadata,
      mirror,
      passage: goesOn ? place : { ...place, length: text?.length ?? 0 },
      goesOn,
    };
  };
  // which one is the last is known when there is no other
  for await (const passage of passages) {
    if (waiting) yield part(waiting, true);
    waiting = passage;
  }
  if (waiting) yield part(waiting, false);
}

function wholeOf(text: string): Required<Pick<PassageRecord, 'span' | 'lines'>> {
  return { span: [0, text.length], lines: [1, text.trimEnd().split('\n').length] };
}
