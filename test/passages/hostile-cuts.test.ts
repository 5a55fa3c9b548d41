import { describe, expect, test } from 'vitest';
import { checkEncoderKind } from '../../src/collection/options/check-options.js';
import { givenPassages } from '../../src/passages/given-passages.js';
import type { CutFunction } from '../../src/passages/passage-rules.js';
import { checkedCount } from '../../src/passages/token-counter.js';

const text = 'The owl flies at night.';

async function passagesBy(cut: unknown): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const one of givenPassages(text, cut as CutFunction, 'document "d"')) found.push(one);
  return found;
}

const invalid = (...parts: string[]): unknown =>
  expect.objectContaining({
    code: 'invalid-argument',
    message: expect.stringMatching(new RegExp(parts.join('.*'), 's')),
  });

describe('what a function gives for passages', () => {
  test('is looked at once: what it becomes later is not stored', async () => {
    let looks = 0;
    const passage = {
      get text() {
        return looks++ === 0 ? 'owl' : 5;
      },
      get span() {
        return looks++ <= 1 ? [4, 7] : [Number.NaN, 'x'];
      },
    };
    expect(await passagesBy(() => [passage])).toEqual([
      { text: 'owl', context: 0, span: [4, 7], lines: [1, 1] },
    ]);
    const places = { [Symbol.iterator]: () => [4, 7].values() };
    const span = new Proxy([4, 7], {
      get: (all, name) =>
        name === Symbol.iterator
          ? places[Symbol.iterator]
          : name === '0'
            ? -5
            : Reflect.get(all, name),
    });
    expect(await passagesBy(() => [{ text: 'owl', span }])).toMatchObject([{ span: [4, 7] }]);
  });

  test('has a bound of characters, and of passages', async () => {
    const long = { text: 'x'.repeat(2 ** 23 + 1), span: [0, 3] };
    await expect(passagesBy(() => [long])).rejects.toEqual(
      invalid('passage 1', '8388609 characters', '8388608'),
    );
    let given = 0;
    const endless = function* () {
      for (; ; given++) yield { text: 'owl', span: [4, 7] };
    };
    const passages = givenPassages(text, endless as unknown as CutFunction, 'document "d"');
    const drain = async (): Promise<void> => {
      for await (const _ of passages);
    };
    await expect(drain()).rejects.toEqual(invalid('passage 1048577', 'at most 1048576'));
    expect(given).toBe(2 ** 20);
  });
});

describe('what an encoder says of tokens', () => {
  test.each([
    ['null', null, 'got null'],
    ['another number of counts', [1], 'got 1'],
    ['a text', 'ab', 'got the string "ab"'],
    ['billions, which are not gone through', { length: 2 ** 40 }, 'got 1099511627776'],
    ['NaN', [1, Number.NaN], 'got NaN for text 1'],
    ['less than none', [-1, 1], 'got -1 for text 0'],
    ['a bigint', [1n, 1], 'got a bigint for text 0'],
  ])('is refused where its counts are %s', async (_, counts, got) => {
    const counting = checkedCount(async () => counts as unknown as number[]);
    await expect(counting(['a', 'b'])).rejects.toEqual(invalid('expected 2 counts', got));
  });

  test('is refused before a collection is made of it, where it is no method or no number', () => {
    const encoder = { id: 'e', dim: 2, encodeQuery: () => {}, encodeDocument: () => {} };
    expect(() => checkEncoderKind({ ...encoder, countTokens: 5 })).toThrow(
      invalid('encoder\\.countTokens', 'expected a method'),
    );
    for (const documentTokens of [Number.NaN, -1, 0, 0.5, null, '64'])
      expect(() => checkEncoderKind({ ...encoder, documentTokens })).toThrow(
        invalid('encoder\\.documentTokens', 'integer of at least 1'),
      );
    for (const documentTokens of [undefined, 1, 512, Infinity])
      checkEncoderKind({ ...encoder, documentTokens });
  });
});
