import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../src/collection/metadata/compile-filter.js';
import type { Filter } from '../../../src/collection/metadata/filter.js';
import { checkMetadata } from '../../../src/collection/metadata/metadata.js';
import { passes } from './naive-filter.js';
import { columnsOf, key, metadata, SCALARS, scalar } from './random-metadata.js';

const path = fc.oneof(
  { weight: 3, arbitrary: key },
  fc.array(key, { minLength: 2, maxLength: 3 }).map((keys) => keys.join('.')),
);
const end = fc.constantFrom(
  ...SCALARS.filter((value) => typeof value === 'number' || typeof value === 'string'),
  Infinity,
  -Infinity,
);
const list = fc.array(scalar, { maxLength: 5, size: 'max' });
const operators = fc.letrec((tie) => ({
  it: fc.record(
    {
      ...{
        $eq: scalar,
        $ne: scalar,
        $gt: end,
        $gte: end,
        $lt: end,
        $lte: end,
        $in: list,
        $nin: list,
        $exists: fc.boolean(),
      },
      $not: tie('it').filter((within) => Object.keys(within as object).length > 0),
    },
    { requiredKeys: [] },
  ),
})).it;
/** One operator, or two. */
const few = operators.chain((all): fc.Arbitrary<unknown> => {
  const keys = Object.keys(all as object);
  return keys.length === 0
    ? scalar
    : fc
        .subarray(keys, { minLength: 1, maxLength: Math.min(2, keys.length) })
        .map((some) =>
          Object.fromEntries(some.map((key) => [key, (all as Record<string, unknown>)[key]])),
        );
});
const filter = fc.letrec<{ it: Record<string, unknown>; field: Record<string, unknown> }>(
  (tie) => ({
    field: fc
      .array(fc.tuple(path, fc.oneof(scalar, few)), { maxLength: 2, size: 'max' })
      .map((entries) => Object.fromEntries(entries)),
    it: fc.oneof(
      { depthSize: 'small' },
      tie('field'),
      tie('field'),
      tie('field'),
      fc.record({ $and: fc.array(tie('it'), { maxLength: 3 }) }),
      fc.record({ $or: fc.array(tie('it'), { maxLength: 3 }) }),
      fc.record({ $not: tie('it') }),
      fc
        .tuple(tie('field'), fc.array(tie('it'), { maxLength: 2 }))
        .map(([field, $or]) => ({ ...field, $or })),
    ),
  }),
).it;

const pass = async (
  filter: Filter,
  documents: Parameters<typeof columnsOf>[0],
): Promise<number[]> => [...(await compileFilter(filter).evaluate(await columnsOf(documents)))];

test('columns, written and opened again in segments of any size, answer as a walk of each document does', async () => {
  const document = fc.option(metadata, { nil: undefined, freq: 8 });
  // few documents that have a path among many make columns by rows
  const documents = fc.oneof(
    fc.array(document, { maxLength: 12, size: 'max' }),
    fc
      .tuple(
        fc.array(document, { maxLength: 2, size: 'max' }),
        fc.constant(new Array(14).fill(undefined)),
      )
      .map((parts) => parts.flat()),
  );
  let [passed, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      documents,
      fc.array(filter, { minLength: 3, maxLength: 3 }),
      fc.nat(12),
      async (all, filters, cut) => {
        const segments = [all.slice(0, cut), all.slice(cut)];
        const columns = await Promise.all(segments.map(columnsOf));
        for (const each of filters) {
          const compiled = compileFilter(each);
          const answers = await Promise.all(columns.map((segment) => compiled.evaluate(segment)));
          const expected = segments.map((segment) =>
            segment.map((item) => (passes(each, item) ? 1 : 0)),
          );
          expect(answers.map((answer) => [...answer])).toEqual(expected);
          for (const one of expected.flat()) one === 1 ? passed++ : refused++;
        }
      },
    ),
    { numRuns: 800, seed: 7 },
  );
  expect(Math.min(passed, refused)).toBeGreaterThan(5000); // the filters tell documents apart
});

describe('a filter', () => {
  const papers = [
    { year: 2009, lang: 'en', tags: ['a', 'b'], author: { name: 'X' } },
    { year: 2015, lang: 'de', tags: [], author: { name: 'Y', born: 1900 } },
    { year: '2015', tags: 'a', author: null },
    { year: 2020, tags: [3, 'c', null], author: [{ name: 'X' }, { name: 'Z' }] },
    undefined,
    {},
  ];

  test.each<[string, Filter, string]>([
    ['of nothing passes all', {}, '111111'],
    ['asks for equality', { lang: 'en' }, '100000'],
    ['asks for all of its fields', { lang: 'en', year: 2010 }, '000000'],
    ['compares numbers with numbers alone', { year: { $gte: 2010, $lte: 2020 } }, '010100'],
    ['compares strings with strings alone', { year: { $gt: '' } }, '001000'],
    ['finds any element of an array', { tags: 'a' }, '101000'],
    ['finds any of a list', { tags: { $in: ['b', 3, 'zz'] } }, '100100'],
    ['finds nothing of an empty list', { tags: { $in: [] } }, '000000'],
    ['excludes nothing by an empty list', { tags: { $nin: [] } }, '111111'],
    ['excludes a value, also where there is none', { 'author.name': { $ne: 'X' } }, '011011'],
    ['finds null and nothing by null', { author: null }, '001011'],
    ['finds null among elements', { tags: null }, '000111'],
    ['tells null from nothing', { author: { $eq: null, $exists: true } }, '001000'],
    [
      'finds something: null, objects and empty arrays too',
      { author: { $exists: true } },
      '111100',
    ],
    ['finds where nothing is', { 'author.born': { $exists: false } }, '101111'],
    [
      'takes operators together to the opposite',
      { year: { $not: { $gte: 2010, $lt: 2020 } } },
      '101111',
    ],
    ['takes another to the opposite', { $not: { year: { $gte: 2010 }, lang: 'de' } }, '101111'],
    ['holds when all of $and hold', { $and: [{ tags: 'a' }, { lang: 'en' }] }, '100000'],
    ['holds when any of $or holds', { $or: [{ lang: 'de' }, { lang: 'en' }] }, '110000'],
    ['passes all by an empty $and', { $and: [] }, '111111'],
    ['passes nothing by an empty $or', { $or: [] }, '000000'],
  ])('%s', async (_what, asked, expected) => {
    expect((await pass(asked, papers)).join('')).toBe(expected);
  });

  test('lets each operator hold for an element of its own', async () => {
    expect(
      await pass({ a: { $gt: 1, $lt: 3 } }, [{ a: [0, 4] }, { a: [2] }, { a: [4, 5] }]),
    ).toEqual([1, 1, 0]);
  });

  test('orders strings by UTF-16 code units', async () => {
    // U+1F600 is D83D DE00 in UTF-16, before U+FF5E; in UTF-8 it comes behind
    expect(
      await pass({ a: { $lt: '\uff5e' } }, [{ a: '\u{1f600}' }, { a: '\uff5f' }, { a: 'z' }]),
    ).toEqual([1, 0, 1]);
  });

  test('finds a text that was cut within an emoji by the text as it was given', async () => {
    const text = '\u{1f600}'.slice(0, 1);
    expect(await pass({ a: text }, [checkMetadata({ a: text }, 'it')])).toEqual([1]);
  });

  test('reaches a key with a dot as it does nested keys, and both count', async () => {
    const documents = [{ 'a.b': 1 }, { a: { b: 1 } }, { 'a.b': 2, a: { b: 1 } }, { 'a.b': 2 }];
    expect(await pass({ 'a.b': 1 }, documents)).toEqual([1, 1, 1, 0]);
  });

  test('finds values beside objects at one path, in either order', async () => {
    const documents = [
      { a: { b: {} }, 'a.b': 1 },
      { 'a.b': 1, a: { b: {} } },
      { a: [{ b: { c: 2 } }, { b: 1 }] },
      { a: { b: { c: 1 } } },
    ];
    expect(await pass({ 'a.b': 1 }, documents)).toEqual([1, 1, 1, 0]);
  });

  test('finds the same among many different strings, whether it lists few or many', async () => {
    const documents = Array.from({ length: 1000 }, (_, i) => ({ doi: `10.${(i * 7919) % 1000}` }));
    for (const asked of [
      ['10.500'],
      ['10.0', '10.999', '11', '', '10.42'],
      Array.from({ length: 300 }, (_, i) => `10.${3 * i}`),
    ]) {
      const expected = documents.map(({ doi }) => (asked.includes(doi) ? 1 : 0));
      expect(await pass({ doi: { $in: asked } }, documents)).toEqual(expected);
    }
  });

  test('names each of its paths once', () => {
    const compiled = compileFilter({
      b: 1,
      $or: [{ a: 1 }, { b: { $gt: 1, $lt: 2 } }],
      $not: { 'c.d': { $exists: true } },
    });
    expect(compiled.paths).toEqual(['a', 'b', 'c.d']);
    expect(compileFilter({}).paths).toEqual([]);
  });

  test('gives arrays of their own', async () => {
    const columns = await columnsOf([{ a: 1 }, {}]);
    const { evaluate } = compileFilter({ a: 1 });
    (await evaluate(columns)).fill(7);
    expect([...(await evaluate(columns))]).toEqual([1, 0]);
  });
});
