import type { Random } from './mutations.js';

/**
 * A value as it may be written: also with a key twice, or with a number such as 1e400, which
 * `JSON.stringify` cannot.
 */
interface Part {
  /** As text; that of a member of an object. */
  key: string;
  /** Of a value that is neither a list nor an object. */
  text: string;
  brackets: '' | '[]' | '{}';
  parts: Part[];
}

/**
 * Values that bring readers down: not integers, beyond float64, objects that look like lists or
 * cannot become strings.
 */
const VALUES: readonly string[] = [
  ...[
    '0',
    '-0',
    '-1',
    '0.5',
    '1',
    '2',
    '3',
    '4',
    '255',
    '2147483647',
    '2147483648',
    '4294967296',
    '9007199254740991',
    '9007199254740992',
  ],
  ...['18446744073709551616', '1e15', '1e308', '1e400', '-1e400', '1e-400'],
  ...[
    'null',
    'true',
    'false',
    '""',
    '"1"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\n\\u001b[31m"',
    '"constructor"',
    '"toString"',
    '"__proto__"',
  ],
  ...[
    '[]',
    '{}',
    '[0]',
    '[null]',
    '[[]]',
    '[-1,-1]',
    '[9007199254740991,9007199254740991]',
    '[1e308,1e308]',
    '["a"]',
  ],
  ...[
    '{"length":1}',
    '{"length":-1}',
    '{"toString":1,"valueOf":1}',
    '{"toString":null}',
    '{"__proto__":null}',
    '{"then":1}',
    '{"toJSON":1}',
  ],
  `"${'x'.repeat(3000)}"`,
  `[${'1,'.repeat(500)}1]`,
];
/** Deeper than recursion goes. */
const DEEP: readonly string[] = [
  `${'['.repeat(9000)}${']'.repeat(9000)}`,
  `${'{"a":'.repeat(6000)}1${'}'.repeat(6000)}`,
];
const KEYS: readonly string[] = [
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"length"',
  '"then"',
  '""',
  '"\\u0000"',
  '"0"',
  '"__metadata__"',
];

/**
 * The text of `value` with one to three of its parts replaced, renamed, removed, repeated, wrapped
 * or overwritten by another.
 */
export function hostileJson(value: unknown, random: Random): string {
  const root: Part = { key: '', text: '', brackets: '[]', parts: [partOf(value)] };
  for (let edits = 1 + random.below(3); edits > 0; edits--) edit(root, random);
  return root.parts.map(textOf).join(' ');
}

function edit(root: Part, random: Random): void {
  const all = within(root);
  if (all.length === 0) return;
  const { holder, part } = random.pick(all);
  const { key } = part;
  const at = holder.parts.indexOf(part);
  const kind = random.below(12);
  if (kind < 6)
    holder.parts[at] = leaf(key, random.oneIn(40) ? random.pick(DEEP) : random.pick(VALUES));
  else if (kind === 6) part.key = random.pick(KEYS);
  else if (kind === 7) holder.parts.splice(at, 1);
  else if (kind === 8)
    holder.parts.splice(at, 0, ...new Array<Part>(1 + random.below(3)).fill(structuredClone(part)));
  else if (kind === 9) holder.parts[at] = { key, text: '', brackets: '[]', parts: [part] };
  else if (kind === 10)
    holder.parts[at] = {
      key,
      text: '',
      brackets: '{}',
      parts: [{ ...part, key: random.pick(KEYS) }],
    };
  else holder.parts[at] = { ...structuredClone(random.pick(all).part), key };
}

function within(holder: Part): { holder: Part; part: Part }[] {
  return holder.parts.flatMap((part) => [{ holder, part }, ...within(part)]);
}

function partOf(value: unknown): Part {
  if (Array.isArray(value)) return { key: '', text: '', brackets: '[]', parts: value.map(partOf) };
  if (typeof value !== 'object' || value === null) return leaf('', JSON.stringify(value));
  const parts = Object.entries(value).map(([key, item]) => ({
    ...partOf(item),
    key: JSON.stringify(key),
  }));
  return { key: '', text: '', brackets: '{}', parts };
}

function leaf(key: string, text: string): Part {
  return { key, text, brackets: '', parts: [] };
}

function textOf({ text, brackets, parts }: Part): string {
  if (brackets === '') return text;
  const inner = parts.map((part) =>
    brackets === '{}' ? `${part.key || '"key"'}:${textOf(part)}` : textOf(part),
  );
  return `${brackets[0]}${inner.join(',')}${brackets[1]}`;
}
