import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Field } from '../../src/collection/query/describe-fields.js';
import { filterOf } from '../../src/page/chosen-filter.js';
import { type Choice, searchOf, stateOf } from '../../src/page/state.js';

/** Texts that addresses can carry: no halves of pairs. */
const text = fc.string({ unit: 'grapheme' });
const choice: fc.Arbitrary<Choice> = fc
  .record({ values: fc.array(text), from: text, to: text })
  .filter(({ values, from, to }) => values.length > 0 || from !== '' || to !== '');
const path = text.filter((name) => name !== '');

test('an address says again what was chosen', () => {
  const state = fc.record({
    query: text,
    collection: fc.option(text, { nil: undefined }),
    mode: fc.constantFrom('meaning' as const, 'keywords' as const, 'hybrid' as const, undefined),
    apart: fc.boolean(),
    choices: fc.array(fc.tuple(path, choice)).map((all) => new Map(all)),
  });
  fc.assert(
    fc.property(state, (chosen) => {
      expect(stateOf(searchOf(chosen))).toEqual(chosen);
    }),
  );
});

test('an address that says nothing, or what cannot be, chooses nothing', () => {
  const nothing = { query: '', collection: undefined, mode: undefined, apart: false };
  for (const search of ['', '?', '?mode=any&apart=yes&is.=x&other.year=1'])
    expect(stateOf(search)).toEqual({ ...nothing, choices: new Map() });
});

const FIELDS: readonly Field[] = [
  { path: 'year', type: 'number', min: 1900, max: 2020 },
  { path: 'written', type: 'date', min: '2023-01-01', max: '2024-12-31T23:00:00Z' },
  { path: 'lang', type: 'string', values: ['de', 'en'] },
  { path: 'draft', type: 'boolean' },
];

test.each([
  ['', undefined],
  ['?from.year=2000', { year: { $gte: 2000 } }],
  ['?from.year=0&to.year=-1.5', { year: { $gte: 0, $lte: -1.5 } }],
  ['?from.year=x&to.year=1e999', undefined],
  [
    '?from.written=2024-02-01&to.written=2024-02-29',
    { written: { $gte: '2024-02-01', $lt: '2024-03-01' } },
  ],
  ['?to.written=2024-12-31', { written: { $lt: '2025-01-01' } }],
  ['?from.written=soon&to.written=2024-13-01', undefined],
  ['?is.lang=de&is.lang=fr', { lang: { $in: ['de'] } }],
  ['?is.lang=fr&is.nobody=x', undefined],
  ['?is.draft=true', { draft: true }],
  ['?is.draft=false&from.year=1', { year: { $gte: 1 }, draft: false }],
])('the address %s filters by what is there', (search, filter) => {
  expect(filterOf(FIELDS, stateOf(search).choices)).toEqual(filter);
});
