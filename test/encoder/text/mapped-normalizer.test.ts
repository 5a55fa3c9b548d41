import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mappedNormalizer } from '../../../src/encoder/text/mapped-normalizer.js';
import { unigram, XLM_R } from './small-tokenizers.js';
import { texts } from './span-checks.js';

type Json = Record<string, unknown>;

const replace = (pattern: Json, content?: string): Json => ({
  type: 'Replace',
  pattern,
  ...(content === undefined ? {} : { content }),
});

const normalizers: [string, Json | null][] = [
  ['none', null],
  ...['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Precompiled'].map(
    (type): [string, Json] => [type, { type }],
  ),
  ['Strip', { type: 'Strip', strip_left: true, strip_right: true }],
  ['Strip on the left', { type: 'Strip', strip_left: true, strip_right: false }],
  ['Strip on the right', { type: 'Strip', strip_left: false, strip_right: true }],
  ['Prepend', { type: 'Prepend', prepend: '▁' }],
  ['Replace', replace({ String: ' ' }, '▁')],
  ['Replace of signs', replace({ String: '[' }, '({')],
  ['Replace by nothing', replace({ Regex: 'x{3,5}' })],
  ['Replace of whitespace', replace({ Regex: '\\s+' }, ' ')],
  ["XLM-R's", XLM_R],
  [
    'a sequence in a sequence',
    {
      type: 'Sequence',
      normalizers: [
        { type: 'Sequence', normalizers: [{ type: 'NFKD' }, { type: 'StripAccents' }] },
        { type: 'Lowercase' },
        { type: 'NFC' },
      ],
    },
  ],
];

describe('a normaliser that says where its text comes from', () => {
  test.each(normalizers)('gives what the library gives: %s', (_name, json) => {
    const { normalizer } = new Tokenizer(unigram({ normalizer: json }), {}) as unknown as {
      normalizer: ((text: string) => string) | null;
    };
    const normalize = mappedNormalizer(json)!;
    const check = (text: string): void => {
      const { text: normalized, starts, ends } = normalize(text);
      if (normalized !== (normalizer?.(text) ?? text)) expect.unreachable(JSON.stringify(text));
      expect([starts.length, ends.length]).toEqual([normalized.length, normalized.length]);
      for (let i = 0; i < normalized.length; i++) {
        if (
          !(
            starts[i] <= ends[i] &&
            ends[i] <= text.length &&
            (i === 0 || (starts[i] >= starts[i - 1] && ends[i] >= ends[i - 1]))
          )
        ) {
          expect.unreachable(`${JSON.stringify(text)} at ${i}`);
        }
      }
    };
    fc.assert(fc.property(texts, check), { numRuns: 200, seed: 8 });
    // every character of Unicode's first two planes and the compatibility ideographs of the third,
    // whose others no normal form changes, in a word and with marks
    for (let code = 0; code < 0x2fa40; code = code === 0x1ffc0 ? 0x2f800 : code + 64) {
      const characters = Array.from({ length: 64 }, (_, i) => String.fromCodePoint(code + i));
      check(characters.map((character) => `a${character}b${character}\u0323\u0301`).join(' '));
      check(characters.join(''));
    }
  });

  test('says whence', () => {
    const { text, starts, ends } = mappedNormalizer(XLM_R)!('Ａ \t ﬁe\u0301');
    expect(text).toBe('A fié');
    expect(Array.from(starts)).toEqual([0, 1, 4, 4, 5]);
    expect(Array.from(ends)).toEqual([1, 4, 5, 5, 7]);
  });

  test('what is composed comes from all of it, a mark that is left alone from itself, one that is stripped is part of its letter', () => {
    const places = (type: string, original: string): [string, number, number][] => {
      const { text, starts, ends } = mappedNormalizer({ type })!(original);
      return Array.from(text, (unit, i) => [unit, starts[i], ends[i]]);
    };
    expect(places('NFC', 'e\u0301ж\u0301x')).toEqual([
      ['é', 0, 2],
      ['ж', 2, 3],
      ['\u0301', 3, 4],
      ['x', 4, 5],
    ]);
    expect(places('StripAccents', 'e\u0301\u0323x')).toEqual([
      ['e', 0, 3],
      ['x', 3, 4],
    ]);
  });

  test('is not made of steps that are not known', () => {
    for (const json of [
      { type: 'Nmt' },
      { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Nmt' }] },
      { type: 'Prepend' },
    ]) {
      expect(mappedNormalizer(json)).toBeUndefined();
    }
    for (const [pattern, content] of [
      [{ Regex: 'a|b' }],
      [{ Regex: 'a{0,}' }],
      [{ Regex: 'a*' }],
      [{ Regex: '(a)' }],
      [{ Regex: '^a' }],
      [{ String: 'a' }, '$1'],
      [{}],
    ] as [Json, string?][]) {
      expect(mappedNormalizer(replace(pattern, content))).toBeUndefined();
    }
  });
});
