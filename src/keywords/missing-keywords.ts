import { LemurError } from '../errors.js';

/** The error for a search of segments without keywords; `wanted`: they are to have them. */
export function missingKeywords(
  wanted: boolean,
  segments: readonly { documents: number; keywords?: object | null | undefined }[],
): LemurError {
  const count = (entries: typeof segments): number =>
    entries.reduce((sum, { documents }) => sum + documents, 0);
  const without = count(segments.filter(({ keywords }) => keywords === undefined));
  const problem = wanted
    ? `${without} of ${count(segments)} documents were added by an earlier version, which made ` +
      'none: compact() makes them'
    : 'the collection is to have none: compact({ keywords: true }) makes them';
  const message = `mode: no keywords to search by: ${problem}`;
  return new LemurError('unsupported', message, { where: 'mode' });
}
