import type { WordSegment } from '../../keywords/score-keywords.js';
import { platform } from '../../platform.js';
import type { Snapshot } from '../files/snapshot.js';

/** The segments of a state that have words. */
export function wordSegments({ segments, firsts }: Snapshot): WordSegment[] {
  return segments.flatMap(({ entry, keywords, deleted }, i) => {
    if (!keywords || !entry.keywords) return [];
    const postings = (): ReturnType<typeof keywords.postings> => keywords.postings();
    const { documents, keywords: all } = entry;
    return [{ first: firsts[i], documents, deleted, all, postings }];
  });
}

/** Rejects with 'unsupported' where words of some documents cannot be looked for. */
export async function checkKeywords({ manifest }: Snapshot): Promise<void> {
  const { keywords, segments } = manifest;
  if (keywords !== false && segments.every((entry) => entry.keywords !== undefined)) return;
  const { missingKeywords } = await platform().loadKeywords();
  throw missingKeywords(keywords !== false, segments);
}
