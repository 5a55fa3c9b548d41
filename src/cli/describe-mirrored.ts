import type { Plan } from '../collection/mirror/change.js';
import type { Mirrored } from '../collection/options/results.js';
import type { FolderFiles } from '../files/node-folder-file.js';
import { shown } from './print.js';
import { counted, grouped } from './text-layout.js';

/** Reasons in the words of a summary, where these are others. */
const WORDS: Readonly<Record<string, string>> = {
  link: 'linked',
  index: 'of an index',
  large: 'too large',
  unread: 'unreadable',
};

/** `12 added, 3 updated, 4,985 unchanged, 7 skipped (2 binary, 5 hidden)`. */
export function describeMirrored(
  done: Mirrored,
  reasons: FolderFiles['reasons'],
  deletes: boolean,
): string {
  const { added, updated, renamed, deleted, stale = 0, unchanged, skipped, passages } = done;
  const parts = [`${grouped(added)} added`];
  const also = (count: number, what: string): unknown =>
    count > 0 && parts.push(`${grouped(count)} ${what}`);
  also(updated, 'updated');
  also(renamed, 'renamed');
  if (deletes) parts.push(`${grouped(deleted)} deleted`);
  also(stale, 'gone (--delete removes them)');
  also(unchanged, 'unchanged');
  const why = Object.entries(reasons)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, count]) => `${grouped(count)} ${WORDS[reason] ?? reason}`);
  also(skipped, `skipped${why.length > 0 ? ` (${why.join(', ')})` : ''}`);
  if (passages) parts.push(`as ${counted(passages, 'passage')}`);
  return parts.join(', ');
}

/** A line for each document that a plan changes. */
export function* planLines({ changes, gone }: Plan): Generator<string> {
  for (const { kind, id, from } of changes) {
    if (kind === 'renamed') yield `rename ${shown(from ?? '')} -> ${shown(id)}`;
    else yield `${kind === 'added' ? 'add   ' : 'update'} ${shown(id)}`;
  }
  for (const id of gone) yield `delete ${shown(id)}`;
}
