import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spanFinder } from '../../../src/encoder/text/token-spans.js';
import { loadTokenizer } from '../../../src/encoder/text/tokenizer.js';
import { byteLevelBpe, GPT2_SYMBOLS } from './small-tokenizers.js';
import { checkSpans, type Shown, texts, tokenParts, tokenSpans } from './span-checks.js';

type Json = Record<string, unknown>;

const roberta = byteLevelBpe();
const nfc = byteLevelBpe({ normalizer: { type: 'NFC' } });
const prefixed = byteLevelBpe({ pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } });
const isolated = (Regex: string): Json => ({
  type: 'Split',
  pattern: { Regex },
  behavior: 'Isolated',
  invert: false,
});
const splitting = byteLevelBpe({
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      isolated(
        "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| " +
          '?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
      ),
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    ],
  },
});

describe('the spans of byte-level BPE', () => {
  test.each<[string, string, string[]]>([
    [
      'words without the space before them',
      'the caf the',
      ['the = the', 'Ġcaf = caf', 'Ġthe = the'],
    ],
    [
      'capitals and accents',
      'caf\u00c9 café',
      ['caf = caf', 'Ã = É', 'ī = É', 'Ġcaf = caf', 'Ã© = é'],
    ],
    ['parts of characters, which have all of it', '🙂b', ['ðŁĻ = 🙂', 'Ĥ = 🙂', 'b = b']],
    ['a space and part of a character', 'a 中', ['a = a', 'Ġä = 中', '¸ = 中', 'Ń = 中']],
    ['runs of spaces', 'a     the', ['a = a', 'ĠĠĠĠ =     ', 'Ġthe = the']],
    ['spaces around a text', '  the ', ['Ġ =  ', 'Ġthe = the', 'Ġ =  ']],
    [
      'line ends and no-break spaces',
      'a\n\n\u00a0b\t',
      ['a = a', 'ĊĊ = \n\n', 'Âł = \u00a0', 'b = b', 'ĉ = \t'],
    ],
    [
      'joined emoji',
      '👩\u200d👧',
      ['ðŁ = 👩', 'ĳ = 👩', '© = 👩', 'âĢį = \u200d', 'ðŁ = 👧', 'ĳ = 👧', '§ = 👧'],
    ],
    [
      'a lone surrogate',
      'a\ud83d b',
      ['a = a', 'ï = \ud83d', '¿ = \ud83d', '½ = \ud83d', 'Ġ =  ', 'b = b'],
    ],
    [
      'special tokens in the text, which swallow the space before them',
      'the <mask> caf</s>',
      ['the = the', '<mask> = <mask>', 'Ġcaf = caf', '</s> = </s>'],
    ],
    ['nothing', '', []],
  ])('are right for %s', (_what, text, expected) => {
    expect(tokenParts(roberta, text)).toEqual(expected);
  });

  test('what is composed has the whole of what it is composed of', () => {
    expect(tokenParts(nfc, 'cafe\u0301 e\u0323\u0301')).toEqual([
      ...[
        'caf = caf',
        'Ã© = e\u0301',
        'Ġ =  ',
        'á = e\u0323\u0301',
        'º = e\u0323\u0301',
        '¹ = e\u0323\u0301',
        'Ìģ = e\u0323\u0301',
      ],
    ]);
    expect(
      tokenParts(nfc, 'x\u1100\u1161\u11a8').every((part, i) =>
        part.endsWith(i === 0 ? '= x' : '= \u1100\u1161\u11a8'),
      ),
    ).toBe(true);
  });

  test('a space put before a text has an empty place, and stands before its first word', () => {
    expect(tokenParts(prefixed, 'the<mask>caf')).toEqual([
      'Ġthe = the',
      '<mask> = <mask>',
      'Ġcaf = caf',
    ]);
    expect(tokenParts(prefixed, 'q')).toEqual(['Ġ = ', 'q = q']);
    expect([...tokenSpans(prefixed, 'a<mask>q').spans!]).toEqual([0, 0, 0, 1, 1, 7, 7, 7, 7, 8]);
    expect(tokenParts(prefixed, ' the')).toEqual(['Ġthe = the']);
  });

  test('runs of spaces that are added tokens are their spaces', () => {
    const added = [
      ...(roberta.added_tokens as object[]),
      { id: 900, content: '   ', special: false, normalized: true },
    ];
    expect(tokenParts({ ...nfc, added_tokens: added }, 'a     b')).toEqual([
      'a = a',
      '    =    ',
      'Ġ =  ',
      'Ġ =  ',
      'b = b',
    ]);
  });

  test.each<[string, Json]>([
    ['as RoBERTa has it', roberta],
    ['with a space before the text', prefixed],
    ['as ModernBERT has it', nfc],
    [
      'of early files, that do not name the model',
      byteLevelBpe({}, undefined, { type: undefined, continuing_subword_prefix: '' }),
    ],
    ['lower-cased, split by a pattern and at digits', splitting],
  ])('of any text, %s: they are where trying finds them', (_name, json) => {
    const { normalizer } = new Tokenizer(json, {}) as unknown as {
      normalizer: ((text: string) => string) | null;
    };
    // a sigma is compared without its place in the word; bytes as characters
    const normalized = (text: string): string => (normalizer?.(text) ?? text).replaceAll('ς', 'σ');
    const normal = (text: string): string =>
      Array.from(new TextEncoder().encode(normalized(text)), (byte) =>
        String.fromCharCode(byte),
      ).join('');
    fc.assert(
      fc.property(texts, (text) => {
        const { tokens, spans } = tokenSpans(json, text);
        const isSpace = Array.from(normalized(text), (char) =>
          Array<boolean>(new TextEncoder().encode(char).length).fill(/^\s$/.test(char)),
        ).flat();
        let at = json === prefixed && !text.startsWith(' ') && text !== '' ? -1 : 0;
        const shown = tokens.map((token): Shown => {
          let [from, to] = [at, at + token.length];
          at = to;
          const bytes = Array.from(token, (symbol) =>
            String.fromCharCode(GPT2_SYMBOLS.indexOf(symbol)),
          ).join('');
          if (!normalized(text).includes('σ'))
            expect(normal(text).slice(Math.max(0, from), to)).toBe(bytes.slice(from < 0 ? 1 : 0));
          from = Math.max(0, from);
          const [first, last] = [isSpace.indexOf(false, from), isSpace.lastIndexOf(false, to - 1)];
          if (first < 0 || first >= to) return undefined;
          return [first, Math.max(first, last) + 1];
        });
        checkSpans(text, spans, shown, normal);
      }),
      { numRuns: 120, seed: 5 },
    );
  });

  test('of a text that is cut off are those of its beginning', async () => {
    const text = 'Café the  unbelievable,   🙂 \n the\n\n  x e\u0301 '.repeat(300);
    for (const json of [roberta, prefixed, nfc, splitting]) {
      const vocabulary = Object.keys((json.model as { vocab: object }).vocab).length;
      const tokenizer = await loadTokenizer(json, {}, vocabulary, 'tokenizer.json');
      const { tokens, spans } = tokenSpans(json, text);
      for (const count of [1, 2, 3, 17, 90, 500]) {
        const cut = tokenizer.tokenize(text, count);
        expect(cut.spans).toEqual(spans!.slice(0, 2 * count));
        expect([...cut.ids]).toEqual(tokens.slice(0, count).map((token) => tokenizer.id(token)));
        expect(cut.truncated).toBe(true);
      }
    }
  });

  test('there are none for tokenizers by other rules, and none for tokens that do not follow from the text', () => {
    const vocabOf = (leaveOut: string): object => {
      const { vocab } = roberta.model as { vocab: Record<string, number> };
      return Object.fromEntries(Object.entries(vocab).filter(([token]) => token !== leaveOut));
    };
    const others: Json[] = [
      byteLevelBpe({
        normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Nmt' }] },
      }),
      byteLevelBpe({ normalizer: { type: 'Replace', pattern: { Regex: '[ab]' }, content: 'c' } }),
      byteLevelBpe({ normalizer: { type: 'Replace', pattern: { String: 'a' }, content: '$&' } }),
      byteLevelBpe({ pre_tokenizer: { type: 'Whitespace' } }),
      byteLevelBpe({
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'ByteLevel' }],
        },
      }),
      byteLevelBpe({
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ ...isolated('a'), behavior: 'Removed' }, { type: 'ByteLevel' }],
        },
      }),
      byteLevelBpe({
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [isolated('a'), { type: 'ByteLevel', add_prefix_space: true }],
        },
      }),
      byteLevelBpe({}, undefined, { end_of_word_suffix: '</w>' }),
      byteLevelBpe({}, undefined, { vocab: vocabOf('Ã©') }),
      byteLevelBpe({}, undefined, { vocab: vocabOf('z') }),
      byteLevelBpe({}, undefined, {
        type: 'WordPiece',
        unk_token: '<unk>',
        continuing_subword_prefix: '##',
      }),
    ];
    for (const json of others) expect(spanFinder(json, {})).toBeUndefined();
    for (const config of [{ remove_space: true }, { do_lowercase_and_remove_accent: true }])
      expect(spanFinder(roberta, config)).toBeUndefined();
    const find = spanFinder(roberta, {})!;
    for (const tokens of [
      ['b'],
      ['a', 'b'],
      ['a', 'Ġb', 'b'],
      ['aĠb'].concat('c'),
      ['a'],
      ['a', ''],
      [],
    ]) {
      expect(find('a b', tokens, tokens.length)).toBeUndefined();
    }
    expect([...find('a b', ['a', 'Ġ', 'b'], 3)!]).toEqual([0, 1, 1, 2, 2, 3]);
    expect([...find('a b', ['a', 'Ġ', 'b'], 1)!]).toEqual([0, 1]);
  });
});
