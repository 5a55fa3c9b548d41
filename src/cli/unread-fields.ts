import { showJson } from '../formats/json/show-json.js';
import type { UnreadFields } from '../formats/texts/beir.js';
import type { Reporter } from './progress.js';
import { counted } from './text-layout.js';

/** Names that are listed. */
const LISTED = 5;

/**
 * Says once which fields of a file's lines nothing read, so that nobody misses later what they
 * thought was stored.
 */
export function noteUnread(
  unread: UnreadFields,
  label: string,
  read: string,
  reporter: Reporter,
): void {
  if (unread.size === 0) return;
  const often = [...unread].sort(([, a], [, b]) => b - a);
  const listed = often
    .slice(0, LISTED)
    .map(([name, lines]) => `${showJson(name)} (${counted(lines, 'line')})`);
  const more = often.length > LISTED ? ` and ${often.length - LISTED} more` : '';
  reporter.note(
    `${label}: fields that are not read: ${listed.join(', ')}${more}; read are ${read}`,
  );
}
