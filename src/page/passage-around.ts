import type { StoredText } from '../collection/get.js';
import type { Asker, Found } from './asker.js';
import { element } from './element.js';
import { marked } from './found-text.js';

/** UTF-16 code units before and behind what matched that are shown of a document in one piece. */
const AROUND = 2000;

/**
 * The whole passage of a hit, marked where it matched, between the ones before and behind it; of a
 * document that is not cut what stands around. Rejects as asking does.
 */
export async function passageAround(
  asker: Asker,
  collection: string,
  hit: Found,
  signal: AbortSignal,
): Promise<HTMLElement[]> {
  const { passage, id } = hit;
  const own = passage?.id ?? id;
  const beside = passage ? besides(passage.source, passage.number) : [];
  const [here, ...others] = await asker.read(collection, [own, ...beside], signal);
  if (!here) return [paragraph('gone', 'It is not in the collection any more.')];
  const [before = '', behind = ''] = others.map((other) => (other ? textOf(other) : ''));
  return [
    ...(before === '' ? [] : [paragraph('around', before)]),
    paragraph('here', ...markedWhole(here.text ?? '', hit)),
    ...(behind === '' ? [] : [paragraph('around', behind)]),
  ];
}

/** Those before and behind; there is no number 0, and none behind the last. */
function besides(source: string, number: number): string[] {
  return [`${source}#${number - 1}`, `${source}#${number + 1}`];
}

/** Without the headings that a passage repeats. */
function textOf({ text = '', passage }: StoredText): string {
  return text.slice(passage?.context ?? 0).trim();
}

function paragraph(kind: string, ...children: (Node | string)[]): HTMLElement {
  return element('p', { class: kind, dir: 'auto' }, ...children);
}

function markedWhole(text: string, { highlight, passage }: Found): (Node | string)[] {
  const [from, to] = highlight?.span ?? [0, 0];
  const begin = passage ? Math.min(passage.context ?? 0, from) : Math.max(0, from - AROUND);
  const end = passage ? text.length : Math.min(text.length, to + AROUND);
  // unless it has changed since
  const isSame = highlight && text.slice(from, to) === bareText(highlight);
  const parts = isSame ? marked(highlight.parts) : [text.slice(from, to)];
  const before = text.slice(begin, from).trimStart();
  const more = [!passage && begin > 0 ? '… ' : '', end < text.length ? ' …' : ''];
  return [more[0], before, ...parts, text.slice(to, end), more[1]];
}

function bareText({ parts }: NonNullable<Found['highlight']>): string {
  return parts.map(({ text }) => text).join('');
}
