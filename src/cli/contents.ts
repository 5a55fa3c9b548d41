import type { Index } from '../collection/index.js';
import { counted } from './text-layout.js';

/** What an index has: `12 documents`, or where they are cut `12 documents in 340 passages`. */
export function contentsOf(index: Index): string {
  const { documents, sources, passages } = index.stats();
  return passages ? documentsIn(sources, documents) : counted(documents, 'document');
}

/** So many documents, and the passages that they are. */
export function documentsIn(documents: number, passages: number): string {
  return `${counted(documents, 'document')} in ${counted(passages, 'passage')}`;
}
