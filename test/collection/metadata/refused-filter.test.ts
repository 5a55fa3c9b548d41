import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../src/collection/metadata/compile-filter.js';

describe('a filter', () => {
  const nested = (levels: number, inner: unknown): unknown =>
    levels === 0 ? inner : { $not: nested(levels - 1, inner) };
  const cycle: { $and: unknown[] } = { $and: [] };
  cycle.$and.push(cycle);

  test('may lie 31 levels within others', () => {
    expect(compileFilter(nested(31, { a: 1 })).paths).toEqual(['a']);
    expect(compileFilter({ a: nested(31, { $eq: 1 }) }).paths).toEqual(['a']);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, "filter: expected an object such as { lang: 'en' }, got undefined"],
    ['an array', [{ a: 1 }], "filter: expected an object such as { lang: 'en' }, got an array"],
    [
      'a map',
      new Map(),
      "filter: expected an object such as { lang: 'en' }, got a value of class Map",
    ],
    [
      'undefined as a value',
      { a: undefined },
      'filter.a: expected a string, number, boolean or null, got undefined',
    ],
    ['NaN', { a: Number.NaN }, 'filter.a: expected a string, number, boolean or null, got NaN'],
    [
      'a bigint',
      { a: { $eq: 1n } },
      'filter.a.$eq: expected a string, number, boolean or null, got a bigint',
    ],
    [
      'a date',
      { a: { $gt: new Date() } },
      'filter.a.$gt: expected a number or a string, got a value of class Date',
    ],
    [
      'a date as a value',
      { a: new Date() },
      'filter.a: expected a string, number, boolean or null, got a value of class Date',
    ],
    [
      'a boolean as an end',
      { a: { $gt: true } },
      'filter.a.$gt: expected a number or a string, got true',
    ],
    [
      'NaN as an end',
      { a: { $lt: Number.NaN } },
      'filter.a.$lt: expected a number or a string, got NaN',
    ],
    [
      'a value for a list',
      { 'a.b': { $in: 'x' } },
      'filter["a.b"].$in: expected an array of values, got "x"',
    ],
    [
      'a list in a list',
      { a: { $nin: [1, [2]] } },
      'filter.a.$nin[1]: expected a string, number, boolean or null, got an array',
    ],
    [
      'an array as a value',
      { a: ['x'] },
      'filter.a: got an array; { $in: [...] } passes documents that have one of several values',
    ],
    [
      'an empty object',
      { a: {} },
      'filter.a: an object without operators; to ask whether there is anything, ' +
        'write { $exists: true }',
    ],
    [
      'a nested object',
      { author: { name: 'X' } },
      'filter.author: got a nested object; name what is in it by a path with dots: ' +
        '{ "author.name": ... }',
    ],
    [
      'an operator without its $',
      { year: { gt: 2000 } },
      'filter.year: operators begin with $: { "year": { "$gt": ... } }',
    ],
    [
      'one among others',
      { year: { $gt: 2000, lt: 2010 } },
      'filter.year.lt: no such operator; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, ' +
        '$exists and $not; did you mean $lt?',
    ],
    [
      'an operator of filters without its $',
      { or: [{ a: 1 }, { b: 2 }] },
      'filter.or: operators begin with $: { "$or": ... }',
    ],
    [
      'one in capitals',
      { year: { GTE: 2000 } },
      `filter.year: operators begin with $: { "year": { "$gte": ... } }`,
    ],
    [
      'a misspelt operator',
      { a: { $exist: true } },
      'filter.a.$exist: no such operator; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, ' +
        '$nin, $exists and $not; did you mean $exists?',
    ],
    [
      'an unknown operator',
      { a: { $regex: 'x' } },
      'filter.a.$regex: no such operator; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, ' +
        '$nin, $exists and $not',
    ],
    [
      'a key among operators',
      { a: { $gt: 1, b: 2 } },
      'filter.a.b: no such operator; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, ' +
        '$exists and $not',
    ],
    [
      'an unknown operator of filters',
      { $nor: [] },
      "filter.$nor: no operator '$nor' of filters; there are $and, $or and $not, " +
        'and paths begin without $',
    ],
    [
      'no boolean for $exists',
      { a: { $exists: 1 } },
      'filter.a.$exists: expected true or false, got 1',
    ],
    [
      'a value for $not',
      { a: { $not: 'x' } },
      'filter.a.$not: expected an object of operators such as { $gte: 1 }, got "x"; ' +
        '$ne excludes a value',
    ],
    [
      'a filter for a list of them',
      { $or: { a: 1 } },
      'filter.$or: expected an array of filters, got an object',
    ],
    [
      'a value for a filter',
      { $and: [{}, { $or: [1] }] },
      "filter.$and[1].$or[0]: expected an object such as { lang: 'en' }, got 1",
    ],
    [
      '32 levels of others',
      nested(32, { a: 1 }),
      `filter${'.$not'.repeat(32)}: more than 32 levels of filters within filters`,
    ],
    [
      '32 levels of others in a field',
      { a: nested(33, { $eq: 1 }) },
      `filter.a${'.$not'.repeat(33)}: more than 32 levels of filters within filters`,
    ],
    [
      'itself',
      cycle,
      `filter${'.$and[0]'.repeat(32)}: more than 32 levels of filters within filters`,
    ],
  ])('is not %s', (_what, asked, message) => {
    const where = message.slice(0, message.indexOf(': '));
    expect(() => compileFilter(asked)).toThrow(
      expect.objectContaining({
        name: 'LemurError',
        code: 'invalid-argument',
        message,
        fields: { where },
      }),
    );
  });

  test('is named in errors as the caller says', () => {
    expect(() => compileFilter({ a: [] }, 'search: filter')).toThrow(
      'search: filter.a: got an array',
    );
  });
});
