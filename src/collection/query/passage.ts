import { LongText } from '../../long-text.js';
import type { Snapshot } from '../files/snapshot.js';
import type { DocumentRecord } from '../metadata/document-record.js';
import { passageNumberOf, sourceIdOf } from '../metadata/passage-record.js';
import type { Passage } from '../options/results.js';

/** Characters that are put together count as a step between two turns of the event loop. */
const STEP_CHARACTERS = 1 << 10;

/** Where a passage stands; undefined for a whole document. */
export function passageOf(id: string, { passage }: DocumentRecord): Passage | undefined {
  if (!passage) return undefined;
  const { span, lines, context } = passage;
  return { id, source: sourceIdOf(id), number: passageNumberOf(id), span, lines, context };
}

/** The id of the document that a stored one is a passage of, or its own. */
export function sourceOf(snapshot: Snapshot, document: number): string {
  const id = snapshot.id(document);
  return snapshot.manifest.passages ? sourceIdOf(id) : id;
}

/**
 * The text that passages were cut from; undefined where it does not come of them: one of them has
 * another text than what stands there, or some of it is in none. Gives way to other work.
 */
export async function joinedText(
  passages: readonly (DocumentRecord & { place: Passage | undefined })[],
  step: (steps?: number) => Promise<void> | undefined,
): Promise<string | undefined> {
  const text = new LongText();
  let end = 0;
  for (const { text: own, place } of passages) {
    const { span, context } = place ?? {};
    if (own === undefined || !span || context === undefined || span[0] > end) return undefined;
    const wait = step(1 + (span[1] - span[0]) / STEP_CHARACTERS);
    if (wait) await wait;
    if (span[1] <= end) continue;
    text.put(own.slice(context + end - span[0]));
    end = span[1];
  }
  const last = passages[passages.length - 1]?.passage;
  return last?.length === end ? text.join() : undefined;
}
