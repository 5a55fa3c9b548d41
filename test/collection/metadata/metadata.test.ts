import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkMetadata } from '../../../src/collection/metadata/metadata.js';

const nested = (levels: number): unknown => (levels === 1 ? {} : { a: nested(levels - 1) });

describe('metadata', () => {
  test('is what its JSON text gives when parsed', () => {
    const value = fc.dictionary(
      fc.string({ unit: 'grapheme' }),
      fc.jsonValue({ depthSize: 'medium' }),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(value, (object) => {
        const checked = checkMetadata(object, 'it');
        expect(checked).toEqual(JSON.parse(JSON.stringify(object)));
        expect(JSON.stringify(checked)).toBe(JSON.stringify(object));
      }),
    );
  });

  test('is a copy, without what is undefined, with 0 for -0 and U+FFFD for half of a surrogate pair', () => {
    const given = { a: undefined, b: [{ c: undefined }], d: -0, e: 'x\ud83d', f: '\u{1f600}' };
    const checked = checkMetadata(given, 'it');
    expect(checked).toEqual({ b: [{}], d: 0, e: 'x\ufffd', f: '\u{1f600}' });
    expect(Object.is(checked.d, 0)).toBe(true);
    expect(Object.keys(checked)).toEqual(['b', 'd', 'e', 'f']);
    expect(checked.b).not.toBe(given.b);
  });

  test('may have a key __proto__, objects without a prototype and of other realms', () => {
    const given = JSON.parse('{"__proto__": {"a": 1}}');
    const checked = checkMetadata(given, 'it');
    expect(JSON.stringify(checked)).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(checked)).toBe(Object.prototype);
    expect(checkMetadata(Object.assign(Object.create(null), { a: 1 }), 'it')).toEqual({ a: 1 });
    expect(checkMetadata(runInNewContext('({ a: [{ b: 1 }] })'), 'it')).toEqual({ a: [{ b: 1 }] });
  });

  test('may hold the same object twice, and 32 levels', () => {
    const author = { name: 'X' };
    expect(checkMetadata({ a: author, b: [author] }, 'it')).toEqual({ a: author, b: [author] });
    expect(checkMetadata(nested(32), 'it')).toEqual(nested(32));
  });

  const cycle: { a: unknown[] } = { a: [] };
  cycle.a.push(cycle);
  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'it: expected an object of JSON values, got undefined'],
    ['null', null, 'it: expected an object of JSON values, got null'],
    ['a string', 'a', 'it: expected an object of JSON values, got "a"'],
    ['an array', [1], 'it: expected an object of JSON values, got an array'],
    ['a Map', new Map(), 'it: expected an object of JSON values, got a value of class Map'],
    [
      'undefined in an array',
      { a: [1, undefined] },
      'it.a[1]: expected a JSON value, got undefined',
    ],
    // biome-ignore lint/suspicious/noSparseArray: it is what is tested
    ['a hole', { a: [1, , 2] }, 'it.a[1]: expected a JSON value, got undefined'],
    ['NaN', { a: { 'b c': Number.NaN } }, 'it.a["b c"]: expected a finite number, got NaN'],
    [
      'an infinity',
      { a: [{ b: -Infinity }] },
      'it.a[0].b: expected a finite number, got -Infinity',
    ],
    ['a bigint', { a: 1n }, 'it.a: expected a JSON value, got a bigint'],
    ['a symbol', { a: Symbol('b') }, 'it.a: expected a JSON value, got a symbol'],
    ['a function', { toJSON: () => 1 }, 'it.toJSON: expected a JSON value, got a function'],
    [
      'a date',
      { a: new Date() },
      'it.a: expected a JSON value; give a date as a string or a number, got a value of class Date',
    ],
    [
      'a typed array',
      { a: new Uint8Array(2) },
      'it.a: expected a JSON value, got a value of class Uint8Array',
    ],
    [
      'a boxed string',
      { a: Object('b') },
      'it.a: expected a JSON value, got a value of class String',
    ],
    ['a cycle', cycle, 'it.a[0]: a cycle: the value lies within itself'],
    ['33 levels', nested(33), `it${'.a'.repeat(32)}: more than 32 levels of objects and arrays`],
    [
      'half of a pair in a key',
      { a: { 'b\ud83d': 1 } },
      'it.a: a key with half of a surrogate pair: "b\\ud83d"',
    ],
  ])('is not %s', (_what, value, message) => {
    expect(() => checkMetadata(value, 'it')).toThrow(
      expect.objectContaining({
        name: 'LemurError',
        code: 'invalid-argument',
        message,
        fields: { where: message.slice(0, message.indexOf(': ')) },
      }),
    );
  });
});
