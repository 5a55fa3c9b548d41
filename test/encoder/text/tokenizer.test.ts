import { describe, expect, test } from 'vitest';
import type { TokenSource } from '../../../src/encoder/text/encode-start.js';
import { idsOf, textTokenizer } from '../../../src/encoder/text/tokenizer.js';

/** Words are their lengths, dots punctuation. */
function source(record: string[] = []): TokenSource {
  return {
    encode: (text, { add_special_tokens }) => {
      record.push(text);
      const tokens = text.match(/\w+|\S/g) ?? [];
      const ids = tokens.map((token) => token.length);
      return add_special_tokens
        ? { ids: [90, ...ids, 91], tokens: ['[CLS]', ...tokens, '[SEP]'] }
        : { ids, tokens };
    },
    token_to_id: (token) => (/^(\w+|\S)$/.test(token) ? token.length : undefined),
  };
}

describe('the text tokenizer', () => {
  test('gives the first tokens of a text, says whether there are more, and knows the tokens around one', () => {
    const tokenizer = textTokenizer(source(), 100, 'test');
    expect(tokenizer.tokenize('one, three – four', 4)).toEqual({
      ids: Int32Array.of(3, 1, 5, 1),
      spans: undefined,
      truncated: true,
    });
    expect(tokenizer.tokenize('one, three', 4)).toEqual({
      ids: Int32Array.of(3, 1, 5),
      spans: undefined,
      truncated: false,
    });
    expect([...tokenizer.tokenize('', 4).ids]).toEqual([]);
    expect(tokenizer.around).toEqual({ first: 90, last: 91 });
    expect([...idsOf(tokenizer, ['three', 'no token', '!'])]).toEqual([5, 1]);
  });

  test('reads no more of a long text than it needs, with the same result', () => {
    const read: string[] = [];
    const tokenizer = textTokenizer(source(read), 100, 'test');
    const long = 'word and, other '.repeat(100_000);
    const { ids } = tokenizer.tokenize(long, 50);
    expect([...ids]).toEqual(source().encode(long, { add_special_tokens: false }).ids.slice(0, 50));
    expect(read.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(2000);
  });

  test('a long text that is mostly space, or one word, is read on until there are enough tokens', () => {
    const tokenizer = textTokenizer(source(), 3_000_000, 'test');
    expect([...tokenizer.tokenize(`a${' '.repeat(30_000)}bb ccc`, 5).ids]).toEqual([1, 2, 3]);
    expect([...tokenizer.tokenize('x'.repeat(40_000), 5).ids]).toEqual([40_000]);
  });

  test('an id outside the vocabulary is reported', () => {
    expect(() => textTokenizer(source(), 4, 'tokenizer.json').tokenize('abcdefg', 5)).toThrow(
      /abcdefg has id 7, expected less than 4/,
    );
  });

  test('a tokenizer with other special tokens is refused', () => {
    const bare: TokenSource = {
      encode: () => ({ ids: [], tokens: [] }),
      token_to_id: () => undefined,
    };
    expect(() => textTokenizer(bare, 100, 'tokenizer.json')).toThrow(/0 special tokens/);
  });
});
