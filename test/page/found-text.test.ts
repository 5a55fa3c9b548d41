import { expect, test } from 'vitest';
import { highlight } from '../../src/collection/query/highlight.js';
import { headingsOf, linkOf, placeOf, titleOf, valuesAt } from '../../src/page/found-text.js';

const TEXT = '# Plan\n## Bees\n\nSnow is white.\nBees dance.\n';
const passage = {
  id: 'plan.md#2',
  source: 'plan.md',
  number: 2,
  span: [100, 130],
  lines: [11, 13],
  context: 15,
} as const;
const found = { id: 'plan.md', score: 1, similarity: 1, passage, text: TEXT };

/** As if this word had matched. */
const matched = (word: string) => {
  const start = TEXT.indexOf(word, 15);
  const span: [number, number] = [start, start + word.length];
  const evidence = [{ queryToken: 0, querySpan: undefined, token: 0, span, score: 1 }];
  return { ...found, highlight: highlight({ text: TEXT, passage, evidence }, { open: '' }) };
};

test('the place of a hit has the line of its strongest word', () => {
  expect(placeOf(matched('Snow'))).toEqual({ name: 'plan.md', line: 11 });
  expect(placeOf(matched('dance'))).toEqual({ name: 'plan.md', line: 12 });
  const { text: _, ...bare } = matched('dance');
  expect(placeOf(bare)).toEqual({ name: 'plan.md', line: 11 });
  expect(placeOf({ id: 'p1', score: 1, similarity: 1 })).toEqual({ name: 'p1', line: undefined });
});

test('headings are those above the passage, but for the title', () => {
  expect(headingsOf(found, 'Plan')).toEqual(['Bees']);
  expect(headingsOf(found, 'Other')).toEqual(['Plan', 'Bees']);
});

test('a title is the one in the metadata, or the path', () => {
  expect(titleOf(found)).toBe('plan.md');
  expect(titleOf({ ...found, metadata: { path: 'notes/plan.md' } })).toBe('notes/plan.md');
  expect(titleOf({ ...found, metadata: { title: 'A plan' } })).toBe('A plan');
  expect(titleOf({ ...found, metadata: { title: { a: 1 } } })).toBe('plan.md');
});

test('only addresses of the web are links', () => {
  const linked = (url: unknown) => linkOf({ ...found, metadata: { url } });
  expect(linked('https://example.org/a')).toBe('https://example.org/a');
  for (const url of ['javascript:alert(1)', ' javascript:x', 'data:text/html,x', '/a', 7, null])
    expect(linked(url)).toBeUndefined();
});

test('values of metadata are found by their paths', () => {
  const metadata = { a: { b: [1, 'two', { c: 3 }] }, lang: 'en', draft: false, none: null };
  expect(valuesAt(metadata, 'a.b')).toEqual(['1', 'two']);
  expect(valuesAt(metadata, 'lang')).toEqual(['en']);
  expect(valuesAt(metadata, 'draft')).toEqual(['false']);
  for (const path of ['none', 'a', 'lang.length', 'constructor.name', '__proto__.x'])
    expect(valuesAt(metadata, path)).toEqual([]);
  expect(valuesAt(undefined, 'lang')).toEqual([]);
});
