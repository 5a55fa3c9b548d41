import { stepPacer } from '../../pacer.js';
import { platform } from '../../platform.js';
import { encodeKeywords } from '../files/keywords-file.js';
import type { KeywordsEntry, SegmentEntry } from '../files/manifest.js';
import type { SegmentView } from '../files/open-files.js';
import type { Transaction } from '../files/transaction.js';
import { readRanges } from './read-ranges.js';

/**
 * Writes which words are in the texts of a segment; null: none is. undefined where the collection
 * wants no keywords.
 */
export async function writeKeywords(
  transaction: Transaction,
  texts: Iterable<{ text: string | undefined }> | AsyncIterable<{ text: string | undefined }>,
  signal: AbortSignal | undefined,
): Promise<KeywordsEntry | null | undefined> {
  if (transaction.snapshot.manifest.keywords === false) return undefined;
  const { PostingsBuilder } = await platform().loadKeywords();
  const builder = new PostingsBuilder(stepPacer(signal));
  for await (const { text } of texts) await builder.add(text);
  if (builder.words === 0) return null;
  const postings = await builder.finish();
  const file = await encodeKeywords(transaction.newName('keywords'), postings);
  return {
    file: await transaction.write(file),
    texts: postings.lengths.reduce((sum, length) => sum + (length > 0 ? 1 : 0), 0),
    words: builder.words,
  };
}

/** Gives a segment its keywords where nobody has looked for them: a commit of its own. */
export async function addKeywords(
  transaction: Transaction,
  view: SegmentView,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (view.entry.keywords !== undefined) return;
  const keywords = await writeKeywords(transaction, textsOf(view), signal);
  if (keywords === undefined) return;
  await transaction.commit((manifest) => ({
    ...manifest,
    segments: manifest.segments.map((entry) =>
      entry.file.name === view.entry.file.name ? { ...entry, keywords } : entry,
    ),
  }));
}

/** Says whether a collection has keywords from now on; those that it must not have are dropped. */
export async function wantKeywords(transaction: Transaction, wanted: boolean): Promise<void> {
  if (wanted === (transaction.snapshot.manifest.keywords !== false)) return;
  await transaction.commit(({ keywords: _, ...manifest }) => ({
    ...manifest,
    ...(wanted ? {} : { keywords: false, segments: manifest.segments.map(withoutKeywords) }),
  }));
}

function withoutKeywords({ keywords: _, ...entry }: SegmentEntry): SegmentEntry {
  return entry;
}

async function* textsOf({
  entry,
  segment,
}: SegmentView): AsyncGenerator<{ text: string | undefined }, void, undefined> {
  for (const [from, to] of readRanges(segment, entry.file.bytes))
    yield* await segment.records(from, to);
}
