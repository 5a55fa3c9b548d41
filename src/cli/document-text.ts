import type { IndexDocument } from '../collection/metadata/document.js';
import type { Metadata } from '../collection/metadata/metadata.js';
import type { BeirDocument } from '../formats/texts/beir.js';

/** The text of a document that is encoded and stored: title and text. */
export function documentText({ title, text }: BeirDocument): string {
  return title === '' ? text : `${title} ${text}`;
}

/** A document as an index takes it: the title goes before the text, and into the metadata. */
export function indexDocument(document: BeirDocument): IndexDocument {
  const { id, title, metadata } = document;
  const text = documentText(document);
  const fields: Metadata | undefined = title === '' ? metadata : { ...metadata, title };
  return { id, ...(text !== '' && { text }), ...(fields && { metadata: fields }) };
}

/** Title and text again, with where the text begins. */
export function titleOf(
  text: string,
  metadata: Metadata | undefined,
): { title: string; from: number } {
  const title: unknown = metadata?.title;
  return typeof title === 'string' && title !== '' && text.startsWith(`${title} `)
    ? { title, from: title.length + 1 }
    : { title: '', from: 0 };
}
