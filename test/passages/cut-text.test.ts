import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type CutRules, cutText, type TextPassage } from '../../src/passages/cut-text.js';
import { expectCutOnce } from './expect-cut-once.js';
import { FOUND } from './found.js';
import { anyText, tokensOf } from './texts.js';

const count = async (texts: readonly string[]): Promise<number[]> => texts.map(tokensOf);

async function cut(text: string, rules: Partial<CutRules> = {}): Promise<TextPassage[]> {
  const passages: TextPassage[] = [];
  for await (const one of cutText(text, { by: 'markdown', size: 12, overlap: 0, ...rules }, count))
    passages.push(one);
  return passages;
}

const rules = fc.record({
  by: fc.constantFrom('markdown' as const, 'text' as const, 'code' as const),
  size: fc.integer({ min: 8, max: 40 }),
  overlap: fc.integer({ min: 0, max: 4 }),
});

describe('passages of any text', () => {
  test('cover it: no character is left out, and what is repeated was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, rules, async (text, rule) => {
        const passages = await cut(text, rule);
        let covered = 0;
        let last = -1;
        for (const { span, text: own, context = 0 } of passages) {
          expect(own.slice(context)).toBe(text.slice(...span));
          expect(span[0]).toBeLessThanOrEqual(covered);
          expect(span[0]).toBeGreaterThan(last);
          if (rule.overlap === 0) expect(span[0]).toBe(covered);
          expect(tokensOf(text.slice(span[0], covered))).toBeLessThanOrEqual(rule.overlap);
          if (text !== '') expect(span[1]).toBeGreaterThan(covered);
          covered = span[1];
          last = span[0];
        }
        expect(covered).toBe(text.length);
      }),
      { numRuns: 400, examples: FOUND },
    );
  });

  test('begin and end between graphemes', async () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(anyText, rules, async (text, rule) => {
        const breaks = new Set([...segmenter.segment(text)].map(({ index }) => index));
        breaks.add(text.length);
        for (const { span } of await cut(text, rule))
          expect(span.filter((at) => !breaks.has(at))).toEqual([]);
      }),
      { numRuns: 400, examples: FOUND },
    );
  });

  test('have no more tokens than was asked for, one grapheme aside', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, rules, async (text, rule) => {
        const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
        for (const passage of await cut(text, rule)) {
          if (tokensOf(passage.text) <= rule.size) continue;
          const own = text.slice(...passage.span);
          expect([...segmenter.segment(own.trim())].length).toBe(1);
        }
      }),
      { numRuns: 400, examples: FOUND },
    );
  });

  test('cut no word that is shorter than a passage', async () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
    await fc.assert(
      fc.asyncProperty(anyText, rules, async (text, rule) => {
        const words = segmenter.segment(text);
        for (const { span } of await cut(text, rule)) {
          const word = words.containing(span[0]);
          if (!word?.isWordLike || word.index === span[0]) continue;
          expect(tokensOf(word.segment)).toBeGreaterThan(rule.size);
        }
      }),
      { numRuns: 400, examples: FOUND },
    );
  });

  test('know their lines', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, rules, async (text, rule) => {
        for (const { span, lines } of await cut(text, rule)) {
          const own = text.slice(...span);
          if (own.trim() === '') continue;
          const first = text.slice(0, span[0]) + /^\s*/.exec(own)?.[0];
          expect(lines[0]).toBe(first.split('\n').length);
          expect(lines[1]).toBe((text.slice(0, span[0]) + own.trimEnd()).split('\n').length);
        }
      }),
    );
  });
});

describe('places to cut', () => {
  test('headings come first, and passages below them repeat them', async () => {
    const text =
      '# Birds\n\nThey lay eggs in nests that they build.\n\n' +
      '## Owls\n\nOwls hunt mice at night. Their ears are placed one above the other. ' +
      'So they hear where a mouse is.\n\n## Ducks\n\nDucks swim.\n';
    const passages = await cut(text, { size: 22 });
    expect(passages.map((passage) => passage.text)).toEqual([
      '# Birds\n\nThey lay eggs in nests that they build.\n\n',
      'Birds\n## Owls\n\nOwls hunt mice at night. ',
      'Birds\nOwls\nTheir ears are placed one above the other. ',
      'Birds\nOwls\nSo they hear where a mouse is.\n\n## Ducks\n\nDucks swim.\n',
    ]);
    expect(passages.map(({ lines }) => lines)).toEqual([
      [1, 3],
      [5, 7],
      [7, 7],
      [7, 11],
    ]);
  });

  test('a text that fits one passage is one', async () => {
    const text = '# A\n\none\n\n# B\n\ntwo\n';
    expect(await cut(text)).toEqual([{ text, context: 0, span: [0, text.length], lines: [1, 7] }]);
  });

  test('sentences go on over the ends of lines', async () => {
    const text = 'This sentence is\nbroken over two lines. The next\none is so as well.\n';
    const passages = await cut(text, { size: 12, by: 'text' });
    expect(passages.map(({ span }) => text.slice(...span))).toEqual([
      'This sentence is\nbroken over two lines. ',
      'The next\none is so as well.\n',
    ]);
  });

  test('Chinese is cut behind its full stops', async () => {
    const text = '今天天气很好我们去公园散步吧。明天下雨所以待在家里看书喝茶休息。后天再说。';
    const passages = await cut(text, { size: 12, by: 'text' });
    expect(passages.map(({ span }) => text.slice(...span)).every((own) => own.endsWith('。'))).toBe(
      true,
    );
    expect(passages.length).toBe(2);
  });

  test('code is cut between functions', async () => {
    const body = (name: string): string =>
      `function ${name}(value) {\n  if (value) {\n    return value;\n  }\n\n  return 0;\n}\n`;
    const text = ['one', 'two', 'three'].map(body).join('\n');
    const passages = await cut(text, { size: 40, by: 'code' });
    expect(passages.map((passage) => passage.text.trimEnd())).toEqual(
      ['one', 'two', 'three'].map((name) => body(name).trimEnd()),
    );
    expect(passages.map(({ lines }) => lines)).toEqual([
      [1, 7],
      [9, 15],
      [17, 23],
    ]);
  });

  test('a sentence is repeated where it fits what may be', async () => {
    const text = 'One is here. Two is here. Three is here. Four is here. Five is here.';
    const passages = await cut(text, { size: 9, overlap: 4, by: 'text' });
    expect(passages[0].text).toBe('One is here. Two is here. ');
    expect(passages[1].text.startsWith('Two is here. ')).toBe(true);
  });
});

test('a text of 1 MB is cut word by word, each counted a few times at most', () =>
  expectCutOnce(1_000_000));

test('floods of one character end', async () => {
  for (const flood of ['\n', ' ', 'x', '中', '\u0301', '👍', '\u0000', '# ', '``', '\ud83d']) {
    const text = flood.repeat(10_000);
    let covered = 0;
    for (const { span } of await cut(text, { size: 100 })) {
      expect(span[0]).toBe(covered);
      covered = span[1];
    }
    expect(covered).toBe(text.length);
  }
});

test('a heading is one behind a mark of the byte order too, which stays in the text', async () => {
  const text = `\ufeff# Owls\n\n${'They fly at night. '.repeat(12)}`;
  const [first, second] = await cut(text, { size: 16 });
  expect(first.text.startsWith('\ufeff# Owls')).toBe(true);
  expect(second.text.startsWith('Owls\n')).toBe(true);
});

describe('a text without a place to cut at', () => {
  test.each([
    ['letters', 'a'],
    ['spaces', ' '],
    ['marks', '\u0301'],
    ['narrow spaces', 'a\u202f'],
    ['selectors of variants', '\u{e0100}'],
  ])('is looked at 65,536 characters at a time, of %s', async (_, piece) => {
    const text = `${piece.repeat(300_000 / piece.length)}z`;
    let most = 0;
    const segment = Intl.Segmenter.prototype.segment;
    const spy = vi.spyOn(Intl.Segmenter.prototype, 'segment').mockImplementation(function (
      this: Intl.Segmenter,
      input: string,
    ) {
      most = Math.max(most, input.length);
      return segment.call(this, input);
    });
    let covered = 0;
    try {
      for (const { span, text: own } of await cut(text, { by: 'text', size: 65_536 })) {
        expect(span[0]).toBe(covered);
        expect(/\p{Surrogate}/u.test(own)).toBe(false);
        covered = span[1];
      }
    } finally {
      spy.mockRestore();
    }
    expect(covered).toBe(text.length);
    expect(most).toBeLessThanOrEqual(65_538);
  });
});
