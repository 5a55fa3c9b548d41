import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../src/keywords/words.js';

const terms = (text: string, role: 'document' | 'query' = 'document'): string[] =>
  Array.from(wordsOf(text, role), ({ term }) => term);

describe('words', () => {
  test('are letters and digits in lower case', () => {
    expect(terms('The cat, 42 dogs; "mice" (and) men!')).toEqual([
      'the',
      'cat',
      '42',
      'dog',
      'mice',
      'and',
      'men',
    ]);
    expect(terms('  \n…—!? ')).toEqual([]);
    expect(terms('')).toEqual([]);
  });

  test.each([
    ['ERR_MODULE_NOT_FOUND', ['err_module_not_found', 'err', 'module', 'not', 'found']],
    ['getUserById', ['getuserbyid', 'get', 'user', 'by', 'id']],
    ['HTTPServer', ['httpserver', 'http', 'server']],
    ['node:fs', ['node:fs', 'node', 'fs']],
    ['std::vector', ['std::vector', 'std', 'vector']],
    ['0x80070005', ['0x80070005']],
    ['v1.2.3', ['v1.2.3', 'v1', '2', '3']],
    ['CVE-2024-3094', ['cve-2024-3094', 'cve', '2024', '3094']],
    ['src/main.ts', ['src/main.ts', 'src', 'main', 'ts']],
    ['ann@example.org', ['ann@example.org', 'ann', 'example', 'org']],
    ['C++', ['c++', 'c']],
    ['C#', ['c#', 'c']],
  ])('%s is found whole and by its parts', (name, expected) => {
    expect(terms(`(${name}), and`)).toEqual([...expected, 'and']);
  });

  test('of one part are whole alone, whatever their capitals', () => {
    expect(terms('mRNA pH IDs iPhone NASA')).toEqual(['mrna', 'ph', 'ids', 'iphone', 'nasa']);
  });

  test('that hyphens join are their parts', () => {
    expect(terms('non-small-cell')).toEqual(['non', 'small', 'cell']);
  });

  test('in English are the same in the plural', () => {
    expect(terms('studies cells diseases')).toEqual(['study', 'cell', 'disease']);
    expect(terms('glass virus gas series')).toEqual(['glass', 'virus', 'gas', 'sery']);
  });

  test('are the same in every form of Unicode', () => {
    expect(terms('ＦＵＬＬ ﬁne cafe\u0301 Ⅳ')).toEqual(['full', 'fine', 'café', 'iv']);
    expect(terms('Straße ΟΔΟΣ Ёлка 수도')).toEqual(['strasse', 'οδοσ', 'ёлка', '수도']);
  });

  test('in scripts without spaces are two characters each, and one', () => {
    expect(terms('東京都')).toEqual(['東', '京', '東京', '都', '京都']);
    expect(terms('東京都', 'query')).toEqual(['東京', '京都']);
    expect(terms('水', 'query')).toEqual(['水']);
    expect(terms('Python教程', 'query')).toEqual(['python', '教程']);
    expect(terms('ありがとう、カード', 'query')).toEqual([
      'あり',
      'りが',
      'がと',
      'とう',
      'カー',
      'ード',
    ]);
  });

  test.each(['ที่นี่', 'ພາສາ', 'ភាសា'])('%s keeps marks with their letters', (text) => {
    const all = terms(text, 'query');
    expect(all.length).toBeGreaterThan(0);
    for (const term of all) expect(term).not.toMatch(/^\p{M}/u);
    expect(new Set(terms(text)).size).toBeGreaterThan(all.length);
  });

  test('of a query are words of a document with its text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const document = new Set(terms(text));
        for (const term of terms(text, 'query')) expect(document).toContain(term);
      }),
    );
  });

  test('lie in their text, are never empty and never too long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const wrong = Array.from(wordsOf(text, 'document')).filter(
          ({ term, start, end }) => start >= end || end > text.length || term === '',
        );
        expect(wrong).toEqual([]);
      }),
    );
    const [{ term }] = wordsOf('x'.repeat(1_000_000), 'document');
    expect(term).toBe('x'.repeat(128));
  });

  test('are cut out of a long text without a space too', () => {
    for (const text of ['a_'.repeat(50_000), '東'.repeat(50_000), 'aB'.repeat(50_000)])
      expect(terms(text).length).toBeGreaterThan(100);
  });
});

test('letters that capitals do not tell apart are the same, and earlier terms are known', () => {
  const terms = (text: string): string[] => [...wordsOf(text, 'query')].map(({ term }) => term);
  for (const [a, b] of [
    ['Straße', 'STRASSE'],
    ['ΣΑΣ', 'σας'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
    ['İstanbul', 'istanbul'],
    ['GROẞ', 'groß'],
  ])
    expect(terms(a)).toEqual(terms(b));
  const earlier = [...wordsOf('Straße und Weg', 'query')].map((word) => word.earlier);
  expect(earlier).toEqual(['straße', undefined, undefined]);
});
