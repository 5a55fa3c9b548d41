import { abortableItems } from '../../abortable.js';
import { LemurError } from '../../errors.js';
import { pacer, stepPacer } from '../../pacer.js';
import { tokenRows } from '../../tokens/token-matrix.js';
import { describeKind } from '../../value-kind.js';
import type { Call } from '../calls/calls.js';
import {
  type CheckedDocument,
  checkDocument,
  type DocumentGate,
  type IndexDocument,
} from '../metadata/document.js';
import { countValues } from '../metadata/metadata-paths.js';

export type Documents = IndexDocument | Iterable<IndexDocument> | AsyncIterable<IndexDocument>;
export type DocumentSource = Exclude<Documents, IndexDocument>;

/**
 * Steps of a document, besides its metadata's values, among those between two turns of the event
 * loop.
 */
const STEPS_A_DOCUMENT = 32;

/** One document, an array, or what gives them one by one. Raises 'invalid-argument'. */
export function streamOf(documents: Documents): DocumentSource {
  if (Array.isArray(documents)) return documents;
  if (typeof documents !== 'object' || documents === null || ArrayBuffer.isView(documents)) {
    const expected = 'expected a document, an array or an iterable of documents';
    const message = `documents: ${expected}, got ${describeKind(documents)}`;
    throw new LemurError('invalid-argument', message, { where: 'documents' });
  }
  if (Symbol.iterator in documents || Symbol.asyncIterator in documents) return documents;
  return [documents];
}

/**
 * Reads documents one by one through the gate. Rejects with what is wrong with one, with what the
 * source throws, or with the signal's reason at once.
 */
export async function* readDocuments(
  source: DocumentSource,
  gate: DocumentGate,
  { signal, guard }: { signal?: AbortSignal | undefined; guard?: Call['guard'] | undefined },
): AsyncGenerator<CheckedDocument> {
  const pace = pacer(signal);
  const step = stepPacer(signal);
  let index = 0;
  for await (const document of abortableItems(source, signal, guard)) {
    await pace();
    signal?.throwIfAborted();
    const checked = checkDocument(document, `document ${index++}`, gate);
    await step(STEPS_A_DOCUMENT + countValues(checked.metadata));
    yield checked;
  }
}

/**
 * Checks all documents of an array, vectors included, before the first is used; `admit` raises
 * what else speaks against one.
 */
export async function checkDocuments(
  documents: readonly IndexDocument[],
  gate: DocumentGate,
  admit: (document: CheckedDocument, where: string) => void,
  signal: AbortSignal | undefined,
): Promise<CheckedDocument[]> {
  const step = stepPacer(signal);
  const checked: CheckedDocument[] = [];
  for (const [i, given] of documents.entries()) {
    const where = `documents[${i}]`;
    const document = checkDocument(given, where, gate);
    admit(document, where);
    const { id, tokens, metadata } = document;
    if (tokens) await tokenRows(tokens, `${where} (${JSON.stringify(id)}).tokens`, signal);
    checked.push(document);
    await step(STEPS_A_DOCUMENT + countValues(metadata));
  }
  return checked;
}

/** Documents of an array one by one, each kept no longer than until it is asked for. */
export async function* eachDocument(
  checked: (CheckedDocument | undefined)[],
  signal: AbortSignal | undefined,
): AsyncGenerator<CheckedDocument> {
  const step = stepPacer(signal);
  for (let i = 0; i < checked.length; i++) {
    const document = checked[i] as CheckedDocument;
    checked[i] = undefined;
    await step(STEPS_A_DOCUMENT + countValues(document.metadata));
    signal?.throwIfAborted();
    yield document;
  }
}
