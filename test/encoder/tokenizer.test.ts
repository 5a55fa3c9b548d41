import { describe, expect, test } from 'vitest';
import { type TokenSource, textTokenizer } from '../../src/encoder/tokenizer.js';

/** Words are their lengths, dots punctuation. */
function source(record: string[] = []): TokenSource {
  return {
    encode: (text, { add_special_tokens }) => {
      record.push(text);
      const tokens = text.match(/\w+|\S/g) ?? [];
      const ids = tokens.map((token) => token.length);
      return add_special_tokens ? { ids: [90, ...ids, 91], tokens: ['[CLS]', ...tokens, '[SEP]'] } : { ids, tokens };
    },
  };
}

describe('the text tokenizer', () => {
  test('puts the first tokens between the special ones and marks ASCII punctuation', () => {
    const tokenizer = textTokenizer(source(), 100, 'test');
    expect(tokenizer.tokenize('one, three – four', 4)).toEqual({
      ids: Int32Array.of(90, 3, 1, 5, 1, 91),
      punctuation: Uint8Array.of(0, 1, 0, 0),
    });
    expect([...tokenizer.tokenize('', 4).ids]).toEqual([90, 91]);
  });

  test('reads no more of a long text than it needs, with the same result', () => {
    const read: string[] = [];
    const tokenizer = textTokenizer(source(read), 100, 'test');
    const long = 'word and, other '.repeat(100_000);
    const { ids } = tokenizer.tokenize(long, 50);
    expect([...ids]).toEqual([90, ...source().encode(long, { add_special_tokens: false }).ids.slice(0, 50), 91]);
    expect(read.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(2000);
  });

  test('a long text that is mostly space, or one word, is read on until there are enough tokens', () => {
    const tokenizer = textTokenizer(source(), 3_000_000, 'test');
    expect([...tokenizer.tokenize(`a${' '.repeat(100_000)}bb ccc`, 5).ids]).toEqual([90, 1, 2, 3, 91]);
    expect([...tokenizer.tokenize('x'.repeat(100_000), 5).ids]).toEqual([90, 100_000, 91]);
  });

  test('an id outside the vocabulary is reported', () => {
    expect(() => textTokenizer(source(), 4, 'tokenizer.json').tokenize('abcdefg', 5)).toThrow(/abcdefg has id 7, expected less than 4/);
  });

  test('a tokenizer with other special tokens is refused', () => {
    const bare: TokenSource = { encode: () => ({ ids: [], tokens: [] }) };
    expect(() => textTokenizer(bare, 100, 'tokenizer.json')).toThrow(/0 special tokens/);
  });
});
