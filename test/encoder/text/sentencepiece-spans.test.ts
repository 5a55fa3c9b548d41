import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spanFinder } from '../../../src/encoder/text/token-spans.js';
import { loadTokenizer } from '../../../src/encoder/text/tokenizer.js';
import { sentencePieceBpe, unigram, XLM_R } from './small-tokenizers.js';
import { checkSpans, type Shown, texts, tokenParts, tokenSpans } from './span-checks.js';

type Json = Record<string, unknown>;

const metaspace = (prepend_scheme: string): Json => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme,
});
const sequence = (...pretokenizers: Json[]): Json => ({ type: 'Sequence', pretokenizers });
const normalizers = (...steps: Json[]): Json => ({ type: 'Sequence', normalizers: steps });

const xlmr = unigram();
const splitAtSpaces = unigram({
  normalizer: { type: 'Precompiled' },
  pre_tokenizer: sequence({ type: 'WhitespaceSplit' }, metaspace('always')),
});
const lowered = unigram({
  normalizer: normalizers(
    { type: 'Strip', strip_left: true, strip_right: true },
    { type: 'NFKD' },
    { type: 'StripAccents' },
    { type: 'Lowercase' },
    { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
  ),
  pre_tokenizer: sequence(metaspace('first'), { type: 'Punctuation' }),
});
const llama = sentencePieceBpe();
const unknowns = sentencePieceBpe({}, { byte_fallback: false });
const fewUnknowns = sentencePieceBpe({}, { byte_fallback: false, fuse_unk: false });

// without spaces; a sigma is compared without its place in the word
const compact = (text: string): string => text.replace(/[\s▁]/g, '').replaceAll('ς', 'σ');

/** The library's normaliser, compact. */
function normalOf(json: Json): (text: string) => string {
  const { normalizer } = new Tokenizer(json, {}) as unknown as {
    normalizer: ((text: string) => string) | null;
  };
  return (text) => compact(normalizer?.(text) ?? text);
}

describe('the spans of SentencePiece', () => {
  test.each<[string, string, string[]]>([
    [
      'words without the space before them',
      'the café fine',
      ['▁the = the', '▁caf = caf', 'é = é', '▁fi = fi', 'ne = ne'],
    ],
    [
      'composed accents, ligatures and full width',
      'cafe\u0301 ﬁne Ａ',
      ['▁caf = caf', 'é = e\u0301', '▁fi = ﬁ', 'ne = ne', '▁A = Ａ'],
    ],
    ['halfwidth letters with their marks', 'ｶﾞa', ['▁ = ', 'ガ = ｶﾞ', 'a = a']],
    [
      'what the vocabulary does not have, as long as it is',
      'the 🙂🙃 b',
      ['▁the = the', '▁ =  ', '🙂🙃 = 🙂🙃', '▁ =  ', 'b = b'],
    ],
    ['runs of spaces, tabs and lines', 'a \t\n b', ['▁ = ', 'a = a', '▁ =  \t\n ', 'b = b']],
    ['spaces around a text', '  the ', ['▁the = the', '▁ =  ']],
    [
      'removed characters inside a word and around it',
      '\u0001th\u0002e\u0003 b',
      ['▁the = th\u0002e', '▁ =  ', 'b = b'],
    ],
    ['what is a space and more', 'a´', ['▁ = ', 'a = a', '▁ = ´', '\u0301 = ´']],
    [
      'special tokens in the text, which swallow the space before them',
      'the <mask>a</s>',
      ['▁the = the', '<mask> = <mask>', '▁ = ', 'a = a', '</s> = </s>'],
    ],
    [
      'wave dashes, which compose with nothing',
      'a～\u0301',
      ['▁ = ', 'a = a', '～ = ～', '\u0301 = \u0301'],
    ],
    ['nothing', '', []],
    ['nothing but a removed character', '\u0001', []],
  ])('are right for %s', (_what, text, expected) => {
    expect(tokenParts(xlmr, text)).toEqual(expected);
  });

  test('words that are split at spaces have these for a token of nothing but ▁', () => {
    expect(tokenParts(splitAtSpaces, ' b  \n 中 the ')).toEqual([
      '▁ =  ',
      'b = b',
      '▁ =   \n ',
      '中 = 中',
      '▁the = the',
    ]);
    expect([...tokenSpans(splitAtSpaces, '中').spans!]).toEqual([0, 0, 0, 1]);
  });

  test('the space before a text alone is put there where the tokenizer says so', () => {
    const first = unigram({ pre_tokenizer: metaspace('first') });
    expect(tokenParts(first, 'fine</s>fine')).toEqual([
      '▁fi = fi',
      'ne = ne',
      '</s> = </s>',
      'fi = fi',
      'ne = ne',
    ]);
    expect(tokenParts(unigram({ pre_tokenizer: metaspace('never') }), 'fine fine')).toEqual([
      'fi = fi',
      'ne = ne',
      '▁fi = fi',
      'ne = ne',
    ]);
  });

  test('tokens of bytes have all of their character', () => {
    expect(tokenParts(llama, 'the Ü')).toEqual(['▁the = the', '▁ =  ', '<0xC3> = Ü', '<0x9C> = Ü']);
    expect(tokenParts(llama, 'a   🙂')).toEqual([
      '▁ = ',
      'a = a',
      '▁▁ =   ',
      '▁ =  ',
      ...['F0', '9F', '99', '82'].map((byte) => `<0x${byte}> = 🙂`),
    ]);
  });

  test('an unknown token has its character, or all of them up to one that is known', () => {
    expect(tokenParts(unknowns, 'x🙂Üx Ü')).toEqual([
      '▁ = ',
      'x = x',
      '<unk> = 🙂Ü',
      'x = x',
      '▁ =  ',
      '<unk> = Ü',
    ]);
    expect(tokenParts(unknowns, 'x\n🙂\tx\t')).toEqual([
      '▁ = ',
      'x = x',
      '<unk> = 🙂',
      'x = x',
      '<unk> = \t',
    ]);
    expect(tokenParts(fewUnknowns, 'x🙂Üx')).toEqual([
      '▁ = ',
      'x = x',
      '<unk> = 🙂',
      '<unk> = Ü',
      'x = x',
    ]);
    expect(tokenParts(unknowns, '🙂<unk>Ü')).toEqual([
      '▁ = ',
      '<unk> = 🙂',
      '<unk> = <unk>',
      '▁ = ',
      '<unk> = Ü',
    ]);
  });

  test('a prefix before nothing stands where the text ends', () => {
    const stripped = sentencePieceBpe({
      normalizer: normalizers(
        { type: 'Strip', strip_left: true, strip_right: true },
        { type: 'Prepend', prepend: '▁' },
      ),
    });
    expect([...tokenSpans(stripped, 'a<s> ').spans!]).toEqual([0, 0, 0, 1, 1, 4, 4, 4]);
  });

  test.each<[string, Json]>([
    ['as XLM-R has it', xlmr],
    ['split at spaces', splitAtSpaces],
    ['with a space before the text alone', unigram({ pre_tokenizer: metaspace('first') })],
    ['lower-cased without accents', lowered],
    ['without a normaliser', unigram({ normalizer: null })],
    ['NFC', unigram({ normalizer: { type: 'NFC' } })],
    ['BPE with bytes, as Llama has it', llama],
    [
      'BPE with NFKC and unknown tokens',
      sentencePieceBpe(
        { normalizer: { type: 'NFKC' }, pre_tokenizer: metaspace('always') },
        { byte_fallback: false, fuse_unk: false },
      ),
    ],
  ])('of any text, %s: they are where trying finds them', (_name, json) => {
    const normal = normalOf(json);
    fc.assert(
      fc.property(texts, (any) => {
        // BPE does not know other spaces
        const text = (json.model as Json).type === 'BPE' ? any.replace(/\s/g, ' ') : any;
        const { tokens, spans } = tokenSpans(json, text);
        const whole = normal(text);
        let at = 0;
        const shown = tokens.map((token, i): Shown => {
          const byte = /^<0x(..)>$/.exec(token)?.[1];
          const length =
            byte || token === '<unk>'
              ? String.fromCodePoint(whole.codePointAt(at)!).length
              : compact(token).length;
          const from = at;
          const isLast = !byte || !/^<0x[89AB].>$/.test(tokens[i + 1] ?? '');
          if (isLast) at += length;
          if (!byte && token !== '<unk>')
            expect(compact(token)).toBe(whole.slice(from, from + length));
          return length > 0 ? [from, from + length] : undefined;
        });
        expect(at).toBe(whole.length);
        checkSpans(text, spans, shown, normal);
      }),
      { numRuns: 120, seed: 6 },
    );
  });

  test('of any text with special tokens they ascend, and nothing but space is outside all of them', () => {
    const pieces = fc.array(
      fc.oneof(fc.constantFrom('<mask>', '<s>', ' <mask> ', '<unk>', '<mas'), texts),
      { maxLength: 6 },
    );
    for (const json of [xlmr, splitAtSpaces, lowered, llama, unknowns]) {
      const normal = normalOf(json);
      fc.assert(
        fc.property(pieces, (some) => {
          const text = some.join('');
          const { tokens, spans } = tokenSpans(json, text);
          expect(spans?.length).toBe(2 * tokens.length);
          let [last, covered] = [0, 0];
          for (const [i, token] of [...tokens, '<end>'].entries()) {
            const [start, end] =
              i < tokens.length ? spans!.subarray(2 * i) : [text.length, text.length];
            expect(start).toBeGreaterThanOrEqual(last);
            expect(normal(text.slice(Math.min(covered, start), start))).toBe('');
            if (/^<(s|mask)>$/.test(token)) expect(text.slice(start, end)).toBe(token);
            [last, covered] = [start, Math.max(covered, end)];
          }
        }),
        { numRuns: 80, seed: 7 },
      );
    }
  });

  test('of a text that is cut off are those of its beginning', async () => {
    const text = 'Café the  unbelievable,   🙂 \n the\n\n  x e\u0301\u200b <mask> a\u3000 '.repeat(
      300,
    );
    const phrases = unigram(
      {},
      [...'▁abcdefghilmnostuvwxy,éC🙂']
        .map((piece) => [piece, -6] as const)
        .concat([
          ['e▁u', -1],
          ['e▁e', -2],
        ] as never),
    );
    const merged = sentencePieceBpe(
      {},
      {
        vocab: { ...(llama.model as { vocab: object }).vocab, 'e▁': 400, 'e▁▁': 401 },
        merges: ['e ▁', 'e▁ ▁'],
      },
    );
    for (const json of [xlmr, splitAtSpaces, lowered, llama, unknowns, phrases, merged]) {
      const tokenizer = await loadTokenizer(json, {}, 1000, 'tokenizer.json');
      const { tokens, spans } = tokenSpans(json, text);
      const ids = new Tokenizer(json, {}).encode(text, { add_special_tokens: false }).ids;
      expect(spans?.length).toBe(2 * tokens.length);
      for (const count of [1, 2, 3, 17, 90, 500]) {
        const cut = tokenizer.tokenize(text, count);
        expect(cut.spans).toEqual(spans!.slice(0, 2 * count));
        expect([...cut.ids]).toEqual(ids.slice(0, count));
      }
    }
  });

  test('there are none for tokenizers by other rules, and none for tokens that do not follow from the text', () => {
    const others: Json[] = [
      unigram({ normalizer: { type: 'Nmt' } }),
      unigram({ normalizer: normalizers(XLM_R, { type: 'Nmt' }) }),
      unigram({ normalizer: { type: 'Replace', pattern: { String: '' }, content: 'x' } }),
      unigram({ pre_tokenizer: { type: 'Whitespace' } }),
      unigram({ pre_tokenizer: { ...metaspace('always'), replacement: '_' } }),
      unigram({ pre_tokenizer: { ...metaspace('always'), str_rep: '▁▁' } }),
      unigram({ pre_tokenizer: sequence({ type: 'Punctuation' }, metaspace('always')) }),
      unigram({ pre_tokenizer: sequence(metaspace('always'), metaspace('always')) }),
      unigram({ pre_tokenizer: { type: 'ByteLevel' } }),
      unigram({ model: { type: 'Other', vocab: {} } }),
      sentencePieceBpe({}, { byte_fallback: false, unk_token: null }),
      sentencePieceBpe({}, { continuing_subword_suffix: '@@' }),
      sentencePieceBpe({}, { merges: ['x y'] }),
      sentencePieceBpe({}, { vocab: { '<unk>': 3, a: 4 }, merges: [] }),
    ];
    for (const json of others) expect(spanFinder(json, {})).toBeUndefined();
    expect(spanFinder(xlmr, { remove_space: true })).toBeUndefined();
    const find = spanFinder(xlmr, {})!;
    for (const tokens of [
      ['the'],
      ['▁the', 'x'],
      ['▁the', '▁', 'b', 'b'],
      ['▁the'],
      ['▁the', '', '▁b'],
      ['▁the', '<unk>'],
    ]) {
      expect(find('the b', tokens, tokens.length)).toBeUndefined();
    }
    expect([...find('the b', ['▁the', '▁b'], 2)!]).toEqual([0, 3, 4, 5]);
  });
});
