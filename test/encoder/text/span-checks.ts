import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { expect } from 'vitest';
import { spanFinder } from '../../../src/encoder/text/token-spans.js';

type Json = Record<string, unknown>;

/** Tokens of the library and their spans; undefined where the finder gives none. */
export function tokenSpans(
  json: Json,
  text: string,
): { tokens: string[]; spans: Int32Array | undefined } {
  const { tokens } = new Tokenizer(json, {}).encode(text, { add_special_tokens: false });
  return { tokens, spans: spanFinder(json, {})?.(text, tokens, tokens.length) };
}

/** Tokens and the parts of the text that they are said to stand for. */
export function tokenParts(json: Json, text: string): string[] {
  const { tokens, spans } = tokenSpans(json, text);
  return tokens.map((token, i) => `${token} = ${text.slice(spans![2 * i], spans![2 * i + 1])}`);
}

const FRAGMENTS = [
  ...[
    'café',
    'cafe\u0301',
    'İstanbul',
    'ΣΟΦΟΣ',
    'Σ',
    '中文',
    '豈',
    '🙂',
    '👨‍👩‍👧',
    '❤️',
    '한국어',
    'ভাষা',
    'हिन्दी',
    'ไทย',
    'ﬁne',
    'ẞ',
    'Ǆ',
  ],
  ...[
    '[SEP]',
    '[UNK]',
    '[',
    '##',
    '##s',
    "don't",
    'Unbelievably',
    '12,5%',
    '\u00ad',
    '\u200d',
    '\u0301',
    '\ud800',
    '\udc00',
    '\ufffd',
    '\0',
  ],
  ...[' ', '\t', '\n', '\u00a0', '\u3000', '\u0085', '\u2028', '\v', 'x'.repeat(101)],
  ...[
    'the ',
    ' the',
    ' of the',
    'ｶﾞｷﾞ',
    'Ｆｕｌｌ',
    '～',
    'a～\u0301',
    '\u1100\u1161\u11a8',
    'e\u0323\u0301',
    'e\u0301\u0323',
    '´',
    '…',
    '①',
    '▁',
    '\ufdfa',
  ],
  ...['  ', '    ', '\u0001', 'a\u0001\u0301', '\u200b', '\u212b', '\u0344', 'q\u0307\u0323'],
];

/** Texts of words, marks and spaces of many scripts, lone surrogates and controls. */
export const texts: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...FRAGMENTS),
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

/** What a token shows of the normal text: units [from, to); undefined for nothing but space. */
export type Shown = readonly [from: number, to: number] | undefined;

/**
 * Finds each token's place by trying: the narrowest part of the text whose normal form, between
 * those of what is before and after it, has what the token shows. Spans are that, or wider by the
 * marks of the same character; they ascend, and nothing but space is outside all of them.
 */
export function checkSpans(
  text: string,
  spans: Int32Array | undefined,
  shown: readonly Shown[],
  normal: (text: string) => string,
): void {
  if (!spans) expect.unreachable(`no spans for ${JSON.stringify(text)}`);
  expect(spans.length).toBe(2 * shown.length);
  const places = placesToSplit(text, normal);
  let [lastStart, covered] = [0, 0];
  for (const [i, units] of shown.entries()) {
    const [start, end] = spans.subarray(2 * i, 2 * i + 2);
    expect(start).toBeGreaterThanOrEqual(lastStart);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(text.length);
    if (start > covered) expect(blank(text.slice(covered, start), normal)).toBe(true);
    lastStart = start;
    covered = Math.max(covered, end);
    if (!units) {
      // or it has the space that a character such as ´ begins with
      const rest = [...text.slice(start, end)];
      while (rest.length > 0 && blank(rest[0], normal)) rest.shift();
      expect(rest.join('')).toMatch(/^(?:.[\p{M}\p{Cc}]*)?$/su);
      continue;
    }
    const [from, to] = units;
    const narrowStart = places.findLast(({ before }) => before <= from)!.at;
    const narrowEnd = places.find(({ before }) => before >= to)!.at;
    if (start !== narrowStart)
      expect(text.slice(start, narrowStart)).toMatch(/^(?:.|[\u1100-\u11ff]+)[\p{M}\p{Cc}ﾞﾟ]*$/su);
    if (end !== narrowEnd) expect(text.slice(narrowEnd, end)).toMatch(/^[\p{M}\p{Cc}ﾞﾟ]+$/u);
  }
  expect(blank(text.slice(covered), normal)).toBe(true);
}

const blank = (text: string, normal: (text: string) => string): boolean =>
  /^\s*$/.test(text) || normal(text) === '';

/**
 * Where the text can be split and normalised in two, and how much of the normal text is before
 * that.
 */
function placesToSplit(
  text: string,
  normal: (text: string) => string,
): { at: number; before: number }[] {
  const whole = normal(text);
  const places: { at: number; before: number }[] = [];
  let at = 0;
  for (const character of [...text, '']) {
    const before = normal(text.slice(0, at));
    if (before + normal(text.slice(at)) === whole) places.push({ at, before: before.length });
    at += character.length;
  }
  return places;
}
