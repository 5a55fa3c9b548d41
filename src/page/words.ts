import type { SearchMode } from '../collection/options/options.js';
import { type About, AskError } from './asker.js';

/** What ways of asking are called. */
export const MODE_NAMES: Readonly<Record<SearchMode, string>> = {
  hybrid: 'Both',
  meaning: 'Meaning',
  keywords: 'Keywords',
};

/** Why there is no answer. */
export function problemWords(error: unknown): string {
  if (!(error instanceof AskError)) return 'This page has failed; reload it.';
  switch (error.problem) {
    case 'unreachable':
      return 'The server cannot be reached.';
    case 'busy':
      return `The server is not ready: ${error.message}.`;
    case 'lacking':
      return `The server cannot read the question: ${error.message}.`;
    default:
      return `The server refused: ${error.message}.`;
  }
}

/** Why a collection cannot be asked; undefined: it can. */
export function cannotAsk({ documents, modes }: About): string | undefined {
  if (documents === 0) return 'This collection has no documents yet.';
  if (modes.length > 0) return undefined;
  return 'This collection has neither an encoder nor keywords: texts cannot be searched for.';
}

export function sizeWords({ documents, sources, isCut }: About): string {
  const all = counted(sources, 'document');
  return isCut ? `${all} in ${counted(documents, 'passage')}` : all;
}

/** How many hits there are; `isAll`: there are no more; `filtered`: filters are set. */
export function foundWords(
  hits: number,
  areDocuments: boolean,
  isAll: boolean,
  filtered: boolean,
): string {
  if (hits === 0) return filtered ? 'Nothing passes these filters.' : 'Nothing was found.';
  const what = counted(hits, areDocuments ? 'document' : 'passage');
  return isAll ? `${what}, the best first.` : `The best ${what}.`;
}

/** That only words were looked for. */
export function lackingWords(error: Error): string {
  return `By keywords alone: ${error.message}.`;
}

function counted(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}
