import type { HighlightPart } from '../collection/query/highlight.js';
import type { Found } from './asker.js';
import { element } from './element.js';

/** What one marks: words that matched, by strength, between what did not. */
export function marked(parts: readonly HighlightPart[]): (Node | string)[] {
  return parts.map(({ text, strength }) =>
    strength > 0 ? element('mark', { class: strengthOf(strength) }, text) : text,
  );
}

/** Strengths are from .7 to 1. */
function strengthOf(strength: number): string {
  if (strength >= 0.95) return 'strong';
  return strength >= 0.82 ? 'medium' : 'weak';
}

/** The part of a hit's text that matched, with … where there is more. */
export function pieceOf({ highlight }: Found): (Node | string)[] {
  if (!highlight) return [element('em', {}, 'no text')];
  const { text, parts } = highlight;
  const bare = parts.map((part) => part.text).join('');
  const begin = text.startsWith('… ') && !bare.startsWith('… ') ? '… ' : '';
  const end = text.length > begin.length + bare.length ? ' …' : '';
  return [begin, ...marked(parts), end];
}

/** Where a hit's document is, and the line of its strongest word. */
export function placeOf(hit: Found): { name: string; line: number | undefined } {
  const { id, passage, metadata } = hit;
  const path: unknown = metadata?.path;
  const name = typeof path === 'string' && path !== '' ? path : (passage?.source ?? id);
  return { name, line: lineOf(hit) };
}

function lineOf({ passage, text, highlight }: Found): number | undefined {
  if (!passage?.lines || text === undefined) return passage?.lines?.[0];
  const { context = 0 } = passage;
  const own = text.slice(context);
  const begin = context + own.length - own.trimStart().length;
  const at = highlight ? strongestPlace(highlight) : begin;
  return passage.lines[0] + text.slice(begin, Math.max(begin, at)).split('\n').length - 1;
}

/** Of the first of the strongest words; where what is shown begins, if there is none. */
function strongestPlace({ parts, span }: NonNullable<Found['highlight']>): number {
  let [place, most, at] = [span[0], 0, span[0]];
  for (const { text, strength } of parts) {
    if (strength > most) [place, most] = [at, strength];
    at += text.length;
  }
  return place;
}

/** Headings above a passage, outermost first, but for the one that is the title already. */
export function headingsOf({ passage, text }: Found, title: string): string[] {
  const lines = (text ?? '').slice(0, passage?.context ?? 0).split('\n');
  const headings = lines.map((line) => line.replace(/^#+\s*|\s*#+\s*$/g, '').trim());
  return headings.filter((heading, i) => heading !== '' && !(i === 0 && heading === title));
}

/** The title in the metadata, or the name of its place. */
export function titleOf(hit: Found): string {
  const title: unknown = hit.metadata?.title;
  return typeof title === 'string' && title.trim() !== '' ? title : placeOf(hit).name;
}

/** The address of the document in the metadata, where that is one of the web. */
export function linkOf({ metadata }: Found): string | undefined {
  const url: unknown = metadata?.url;
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  return /^https?:$/.test(new URL(url).protocol) ? url : undefined;
}

/** Scalars in the metadata at a path of keys joined by dots. */
export function valuesAt(metadata: Found['metadata'], path: string): string[] {
  let found: unknown = metadata;
  for (const key of path.split('.')) {
    const isThere = typeof found === 'object' && found !== null && Object.hasOwn(found, key);
    found = isThere ? (found as Record<string, unknown>)[key] : undefined;
  }
  const all = Array.isArray(found) ? found : [found];
  return all.filter((one) => /^(string|number|boolean)$/.test(typeof one)).map(String);
}
