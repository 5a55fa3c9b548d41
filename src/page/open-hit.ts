import type { Asker } from './asker.js';
import { element } from './element.js';
import type { DrawnHit } from './hits.js';
import { passageAround } from './passage-around.js';
import { problemWords } from './words.js';

/** Fills what is below a hit with the whole passage and what stands around it. */
export async function openHit(
  asker: Asker,
  collection: string,
  { hit, whole }: DrawnHit,
  signal: AbortSignal,
): Promise<void> {
  whole.setAttribute('aria-busy', 'true');
  try {
    const texts = await passageAround(asker, collection, hit, signal);
    if (!signal.aborted) whole.replaceChildren(...texts);
  } catch (error) {
    if (signal.aborted) return;
    const said = element('p', { role: 'alert', class: 'gone' }, problemWords(error));
    whole.replaceChildren(said);
  } finally {
    whole.removeAttribute('aria-busy');
  }
}
