import type { Field } from '../collection/query/describe-fields.js';
import { element } from './element.js';
import type { Choice } from './state.js';

/** Values of which more are a list to choose from. */
const MOST_BOXES = 8;

/** A field as it is chosen from. */
interface DrawnField {
  readonly node: HTMLElement;
  readonly choice: () => Choice;
}

/** The controls that filter, in the order of their fields. */
export interface DrawnFields {
  readonly nodes: readonly HTMLElement[];
  /** What is chosen now, without fields of which nothing is. */
  choices(): Map<string, Choice>;
}

/** Draws fields with what is chosen of them. */
export function drawFields(
  fields: readonly Field[],
  choices: ReadonlyMap<string, Choice>,
): DrawnFields {
  const drawn = fields.map((field, i) => {
    const chosen = choices.get(field.path) ?? { values: [], from: '', to: '' };
    return [field.path, drawField(field, chosen, `field-${i}`)] as const;
  });
  return {
    nodes: drawn.map(([, { node }]) => node),
    choices() {
      const all = drawn.map(([path, { choice }]) => [path, choice()] as const);
      return new Map(
        all.filter(([, { values, from, to }]) => values.length > 0 || from !== '' || to !== ''),
      );
    },
  };
}

function drawField(field: Field, chosen: Choice, id: string): DrawnField {
  switch (field.type) {
    case 'number':
      return drawRange(field.path, chosen, id, {
        type: 'number',
        step: 'any',
        inputmode: 'decimal',
        from: String(field.min),
        to: String(field.max),
      });
    case 'date': {
      const [from, to] = [field.min, field.max].map((date) => date.slice(0, 10));
      return drawRange(field.path, chosen, id, { type: 'date', from, to });
    }
    case 'boolean':
      return drawList(field.path, chosen, id, [
        ['true', 'yes'],
        ['false', 'no'],
      ]);
    case 'string': {
      const values = [...field.values].sort(new Intl.Collator().compare);
      if (values.length <= MOST_BOXES) return drawBoxes(field.path, chosen, id, values);
      return drawList(
        field.path,
        chosen,
        id,
        values.map((value) => [value, value]),
      );
    }
  }
}

/** What the inputs of a range have in common; `from` and `to` are the ends that there are. */
type Range = Readonly<Record<'type' | 'from' | 'to', string> & Record<string, string>>;

function drawRange(path: string, chosen: Choice, id: string, range: Range): DrawnField {
  const { from: least, to: most, ...attributes } = range;
  const end = (name: 'from' | 'to', there: string): [HTMLElement, HTMLInputElement] => {
    const input = element('input', {
      ...attributes,
      id: `${id}-${name}`,
      placeholder: there,
      'aria-describedby': `${id}-ends`,
    });
    input.value = chosen[name];
    return [element('label', { for: input.id }, name, input), input];
  };
  const [[fromLabel, from], [toLabel, to]] = [end('from', least), end('to', most)];
  // a number's are there where nothing has been typed
  const style = range.type === 'date' ? 'ends' : 'unseen';
  const ends = element('p', { id: `${id}-ends`, class: style }, `${least} to ${most}`);
  const node = group(path, element('div', { class: 'range' }, fromLabel, toLabel), ends);
  return { node, choice: () => ({ values: [], from: from.value, to: to.value }) };
}

function drawBoxes(
  path: string,
  chosen: Choice,
  id: string,
  values: readonly string[],
): DrawnField {
  const boxes = values.map((value, i) => {
    const box = element('input', { type: 'checkbox', id: `${id}-${i}` });
    box.checked = chosen.values.includes(value);
    return { value, box, label: element('label', { for: box.id, dir: 'auto' }, box, named(value)) };
  });
  const node = group(path, ...boxes.map(({ label }) => label));
  const checked = (): string[] => boxes.flatMap(({ value, box }) => (box.checked ? [value] : []));
  return { node, choice: () => ({ values: checked(), from: '', to: '' }) };
}

function drawList(
  path: string,
  chosen: Choice,
  id: string,
  values: readonly (readonly [value: string, name: string])[],
): DrawnField {
  const all = values.map(([, name], i) => element('option', { value: String(i) }, named(name)));
  const select = element('select', { id }, element('option', { value: '' }, 'all'), ...all);
  const at = values.findIndex(([value]) => chosen.values.includes(value));
  select.value = at < 0 ? '' : String(at);
  const label = element('label', { for: id }, path);
  const node = element('div', { class: 'field' }, label, select);
  const picked = (): string[] => (select.value === '' ? [] : [values[Number(select.value)][0]]);
  return { node, choice: () => ({ values: picked(), from: '', to: '' }) };
}

function named(value: string): string {
  return value.trim() === '' ? '(empty)' : value;
}

function group(path: string, ...children: readonly Node[]): HTMLElement {
  return element('fieldset', { class: 'field' }, element('legend', {}, path), ...children);
}
