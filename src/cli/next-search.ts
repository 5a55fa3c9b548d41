import type { OpenedIndex } from './open-index.js';
import { shown } from './print.js';

/** The command that asks an index something. */
export function nextSearch({ folder, index }: OpenedIndex): string {
  const question = index.stats().encoder ? '"a question"' : '--vectors query.npy';
  return `lemur search ${shown(folder)} ${question}`;
}
