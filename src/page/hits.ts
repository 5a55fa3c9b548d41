import type { Field } from '../collection/query/describe-fields.js';
import type { Found } from './asker.js';
import { element } from './element.js';
import { headingsOf, linkOf, pieceOf, placeOf, titleOf, valuesAt } from './found-text.js';

/** Values of a field that are shown of one hit. */
const MOST_VALUES = 3;

/** A hit as it is drawn, with what opens it. */
export interface DrawnHit {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  /** Empty until the hit is opened. */
  readonly whole: HTMLElement;
  readonly hit: Found;
}

/** A hit of a list, `number` from 0 on. */
export function drawHit(hit: Found, number: number, fields: readonly Field[]): DrawnHit {
  const title = titleOf(hit);
  const headings = headingsOf(hit, title);
  const whole = element('div', { id: `whole-${number}`, class: 'whole', hidden: true });
  const button = element(
    'button',
    { type: 'button', 'aria-expanded': 'false', 'aria-controls': whole.id },
    element('bdi', {}, title),
  );
  const item = element(
    'li',
    {},
    element('h2', {}, button),
    element('p', { class: 'place' }, ...placeLine(hit, title)),
    ...(headings.length > 0 ? [headingLine(headings)] : []),
    element('p', { class: 'piece', dir: 'auto' }, ...pieceOf(hit)),
    ...factLine(hit, fields),
    whole,
    ...furtherPassages(hit),
  );
  return { item, button, whole, hit };
}

function placeLine(hit: Found, title: string): (Node | string)[] {
  const { name, line } = placeOf(hit);
  const link = linkOf(hit);
  const place = line === undefined ? name : `${name}:${line}`;
  // a title that is its place is not said twice
  const said = place === title ? [] : [element('code', {}, element('bdi', {}, place))];
  const near = hit.similarity.toFixed(2);
  const parts: (Node | string)[] = [
    ...said,
    element('span', { title: 'How near it is to the question: 1 at most' }, `similarity ${near}`),
  ];
  if (link !== undefined) {
    const { host } = new URL(link);
    parts.push(element('a', { href: link, rel: 'noopener noreferrer' }, host));
  }
  return parts.flatMap((part, i) => (i === 0 ? [part] : [' · ', part]));
}

function headingLine(headings: readonly string[]): HTMLElement {
  return element('p', { class: 'headings', dir: 'auto' }, headings.join(' › '));
}

/** What the hit has of the fields that can be filtered by. */
function factLine({ metadata }: Found, fields: readonly Field[]): HTMLElement[] {
  const facts = fields.flatMap(({ path, type }) => {
    const values = valuesAt(metadata, path).slice(0, MOST_VALUES);
    if (values.length === 0) return [];
    const shown = type === 'date' ? values.map((value) => value.slice(0, 10)) : values;
    const terms = [element('dt', {}, path), element('dd', { dir: 'auto' }, shown.join(', '))];
    return [element('div', {}, ...terms)];
  });
  return facts.length > 0 ? [element('dl', { class: 'facts' }, ...facts)] : [];
}

/** The other passages of a document that were found. */
function furtherPassages({ passages = [] }: Found): HTMLElement[] {
  if (passages.length < 2) return [];
  const items = passages.slice(1).map((passage) => {
    const { line } = placeOf(passage);
    const place = line === undefined ? [] : [element('code', {}, `:${line}`), ' '];
    const piece = element('span', { dir: 'auto' }, ...pieceOf(passage));
    return element('li', {}, ...place, piece);
  });
  const label = 'Further passages of this document';
  return [element('ul', { class: 'further', 'aria-label': label }, ...items)];
}
