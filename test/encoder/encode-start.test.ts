import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeStart, tokensCrossSpaces } from '../../src/encoder/encode-start.js';
import { byteLevelBpe, sentencePieceBpe, unigram } from './small-tokenizers.js';
import { texts } from './span-checks.js';

type Json = Record<string, unknown>;

const modernBert = byteLevelBpe({
  normalizer: { type: 'NFC' },
  added_tokens: ['  ', '   ', '    '].map((content, i) => ({ id: 900 + i, content, normalized: true, special: false })),
});
const pieces = (...more: [string, number][]): [string, number][] => [
  ...['▁', ...'abcdefghiklmnostuvwxyzé中'].map((piece): [string, number] => [piece, -5]),
  ...['▁▁', '▁▁▁', '▁the', 'the'].map((piece): [string, number] => [piece, -4]),
  ...more,
];

const tokenizers: [string, Json][] = [
  ['byte-level BPE', byteLevelBpe()],
  ['byte-level BPE with runs of spaces', modernBert],
  ['Unigram', unigram()],
  ['Unigram with runs of spaces', unigram({ normalizer: { type: 'Precompiled' } }, pieces())],
  ['Unigram with phrases', unigram({ normalizer: { type: 'Precompiled' } }, pieces(['e▁t', -3], ['x▁x', -2], ['▁x▁', -2]))],
  ['BPE of one long word', sentencePieceBpe()],
  ['BPE with unknown tokens', sentencePieceBpe({}, { byte_fallback: false })],
];

describe('the beginning of a long text', () => {
  test.each(tokenizers)('has the tokens that the whole text begins with, %s', (_name, json) => {
    const tokenizer = new Tokenizer(json, {});
    const crossSpaces = tokensCrossSpaces(json);
    const long = fc.array(fc.oneof(texts, fc.constantFrom(' ', '  ', ' x x ', 'the the', ' the', '\u200b ', '\n ')), {
      minLength: 80,
      maxLength: 160,
    });
    fc.assert(
      fc.property(long, fc.integer({ min: 0, max: 8 }), (parts, count) => {
        const text = parts.join('');
        const { ids, tokens, read } = encodeStart(tokenizer, text, count, crossSpaces);
        const whole = tokenizer.encode(text, { add_special_tokens: false });
        expect(text.startsWith(read)).toBe(true);
        expect(ids.length).toBeGreaterThanOrEqual(Math.min(count, whole.ids.length));
        expect(ids.slice(0, count)).toEqual(whole.ids.slice(0, count));
        expect(tokens.slice(0, count)).toEqual(whole.tokens.slice(0, count));
      }),
      { numRuns: 60, seed: 9 },
    );
  });

  test('ends where a word does, with some tokens more than are needed', () => {
    const tokenizer = new Tokenizer(unigram(), {});
    const { read, ids } = encodeStart(tokenizer, 'the café,   \n the '.repeat(1000), 4, false);
    expect(read).toMatch(/^the café,.*the$|,$/s);
    expect(read.length).toBeLessThanOrEqual(320);
    expect(ids.length).toBeGreaterThanOrEqual(20);
  });

  test('is not read alone where tokens go across spaces', () => {
    expect(tokenizers.filter(([, json]) => tokensCrossSpaces(json)).map(([name]) => name)).toEqual(['Unigram with phrases']);
    const added = { id: 900, content: 'two words', special: true };
    expect(tokensCrossSpaces({ model: { type: 'WordPiece', vocab: {} }, added_tokens: [added] })).toBe(true);
    expect(tokensCrossSpaces(byteLevelBpe({}, ['a Ġ', 'aĠ b']))).toBe(true);
    expect(tokensCrossSpaces({ model: { type: 'Other' }, added_tokens: [] })).toBe(false);
    const words = { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace' }] } };
    expect(tokensCrossSpaces(unigram(words, [['a▁b', -1]]))).toBe(false);
    const record: string[] = [];
    const source = {
      encode: (text: string) => ({ ids: Array<number>(record.push(text) * 0 + text.length).fill(1), tokens: [...text] }),
      token_to_id: () => undefined,
    };
    encodeStart(source, 'a b '.repeat(1000), 5, true);
    expect(record.map(({ length }) => length)).toEqual([4000]);
  });
});
