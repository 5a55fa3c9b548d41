import fc from 'fast-check';

/** Pieces that scripts, encodings and editors treat in ways of their own. */
const PIECES = [
  'word ',
  'another-word ',
  'Sentence. ',
  'e.g. this ',
  '\n',
  '\n\n',
  '\r\n',
  '\r\n\r\n',
  '\r',
  '\t',
  '    ',
  '\u00a0',
  '\u0000',
  '\ufeff',
  '# Heading\n',
  '\n## Below\n',
  'Title\n=====\n',
  '- item\n',
  '```\ncode();\n\n}\n```\n',
  '~~~\n',
  '---\n',
  '中文没有空格。',
  '日本語のテキスト',
  'ภาษาไทยไม่มีช่องว่าง',
  'العربية نصّ ',
  'עברית ',
  'हिन्दी क्षत्रिय ',
  '한국어 ',
  '\u1112\u1161\u11ab',
  '👩‍👩‍👧‍👦',
  '🇩🇪🇫🇷',
  '🇩',
  '👍🏽',
  'e\u0301',
  ' \u0301',
  '\u0600\u0661',
  'a\u200d',
  '\ufe0f',
  '\ud83d',
  '\udc00',
  'Supercalifragilisticexpialidocious',
  'https://example.org/a/very/long/path?with=queries&and=more#fragments ',
  'x'.repeat(80),
];

/** Texts of all scripts, Markdown, code and floods. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
);

/** A token for every four characters of a word, and for every mark. */
export function tokensOf(text: string): number {
  let tokens = 0;
  for (const [word] of text.matchAll(/[\p{L}\p{M}\p{N}]+|\S/gu))
    tokens += Math.ceil(word.length / 4);
  return tokens;
}
