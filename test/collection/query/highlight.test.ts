import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Evidence } from '../../../src/collection/options/results.js';
import { highlight } from '../../../src/collection/query/highlight.js';
import { anyText } from '../../passages/texts.js';

/** Evidence for words of a text, each with its score. */
function evidenceOf(text: string, words: Readonly<Record<string, number>>): Evidence[] {
  return Object.entries(words).map(([word, score], queryToken) => {
    const at = text.indexOf(word);
    return { queryToken, querySpan: undefined, token: 0, span: [at, at + word.length], score };
  });
}

const owls =
  'Owls are birds of the night. They hunt mice and small birds by their sound alone. ' +
  'Their ears are placed one above the other, which tells them how high a mouse is. ' +
  'Ducks swim on ponds and eat plants. Nobody knows why they sleep with one eye open.';

describe('highlight', () => {
  test('shows the part with the strongest matches, of whole words', () => {
    const hit = { text: owls, evidence: evidenceOf(owls, { swi: 0.9, pond: 0.8, hunt: 0.3 }) };
    const { text, parts, span } = highlight(hit, { length: 60 });
    expect(text).toBe('… high a mouse is. Ducks **swim** on **ponds** and eat plants. Nobody …');
    expect(parts.map((part) => part.text).join('')).toBe(owls.slice(...span));
    expect(parts.filter(({ strength }) => strength > 0)).toEqual([
      { text: 'swim', strength: 1 },
      { text: 'ponds', strength: 0.8 / 0.9 },
    ]);
  });

  test('joins words side by side', () => {
    const hit = { text: owls, evidence: evidenceOf(owls, { small: 0.8, birds: 0.1, mice: 0.7 }) };
    expect(highlight({ ...hit, text: owls }, { open: '<', close: '>' }).text).toContain(
      'hunt <mice> and <small> birds',
    );
    const both = evidenceOf('the small birds here', { small: 0.8, birds: 0.9 });
    expect(highlight({ text: 'the small birds here', evidence: both }).parts).toEqual([
      { text: 'the ', strength: 0 },
      { text: 'small birds', strength: 1 },
      { text: ' here', strength: 0 },
    ]);
  });

  test('joins no words over the end of a line', () => {
    const text = 'Small birds\nsing';
    const evidence = evidenceOf(text, { birds: 0.9, sing: 0.9 });
    expect(highlight({ text, evidence }).text).toBe('Small **birds**\n**sing**');
  });

  test('leaves out what matched marks of the question', () => {
    const evidence: Evidence[] = [
      { queryToken: 0, querySpan: [3, 4], token: 0, span: [0, 4], score: 1 },
    ];
    expect(highlight({ text: owls, evidence }, { query: 'why?' }).parts.length).toBe(1);
    expect(highlight({ text: owls, evidence }).parts.length).toBe(2);
  });

  test('leaves headings of a passage out, unless nothing else matched', () => {
    const text = `Animals\n${owls}`;
    const passage = {
      ...{ id: 'a#2', source: 'a', number: 2, span: [9, 99] as const, lines: [1, 1] as const },
      context: 8,
    };
    const both = evidenceOf(text, { Animals: 1, Ducks: 0.8 });
    expect(highlight({ text, passage, evidence: both }, { length: 400 }).text).not.toContain(
      'Animals',
    );
    const alone = evidenceOf(text, { Animals: 1 });
    expect(highlight({ text, passage, evidence: alone }).text).toMatch(
      /^\*\*Animals\*\*\nOwls are/,
    );
  });

  test.each([
    ['words', 'word '],
    ['a word', 'a'],
    ['Chinese', '信息检索'],
    ['marks', '\u0301'],
    ['spaces', ' '],
    ['emoji', '👩‍👩‍👧'],
  ])('looks at what is near the matches in a text of 8 MiB, of %s', (_, piece) => {
    const text = piece.repeat(2 ** 23 / piece.length);
    const evidence = Array.from({ length: 2000 }, (_, queryToken): Evidence => {
      const at = queryToken * 4000;
      return { queryToken, querySpan: undefined, token: 0, span: [at, at + 4], score: 1 };
    });
    let looked = 0;
    const segment = Intl.Segmenter.prototype.segment;
    const spy = vi.spyOn(Intl.Segmenter.prototype, 'segment').mockImplementation(function (
      this: Intl.Segmenter,
      input: string,
    ) {
      looked += input.length;
      return segment.call(this, input);
    });
    try {
      const whole: Evidence = { ...evidence[0], span: [0, text.length] };
      const { text: shown, span } = highlight({ text, evidence: [...evidence, whole] });
      expect(text.slice(...span).length).toBeLessThanOrEqual(2000);
      expect(shown.length).toBeLessThan(2100);
    } finally {
      spy.mockRestore();
    }
    expect(looked).toBeLessThan(2 ** 23);
  });

  test.each([
    ['open', { text: 'owl' }, { open: null }],
    ['close', { text: 'owl' }, { close: 5 }],
    ['query', { text: 'owl' }, { query: 5 }],
    ['evidence', { text: 'owl', evidence: {} }, {}],
    ['evidence', { text: 'owl', evidence: [null] }, {}],
    ['evidence', { text: 'owl', evidence: [{ span: [Number.NaN, 3], score: 1 }] }, {}],
    ['evidence', { text: 'owl', evidence: [{ span: [0, 3], score: Infinity }] }, {}],
  ])('refuses another %s than a search gives', (name, hit, options) => {
    expect(() => highlight(hit as never, options as never)).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: expect.stringContaining(name),
      }),
    );
  });

  test('takes headings of a passage for what fits its text', () => {
    const place = { span: [0, 3] as const, lines: [1, 1] as const };
    const passage = { id: 'a#1', source: 'a', number: 1, ...place };
    for (const context of [-4, 1e9])
      expect(highlight({ text: 'owl', passage: { ...passage, context } }).span).toEqual(
        context < 0 ? [0, 3] : [3, 3],
      );
  });

  test('takes any number of matches, of which the best count', () => {
    const text = 'word '.repeat(200_000);
    const evidence = Array.from({ length: 200_000 }, (_, queryToken): Evidence => {
      const span = [5 * queryToken, 5 * queryToken + 4] as const;
      return { queryToken, querySpan: undefined, token: 0, span, score: 0.5 };
    });
    evidence[199_999] = { ...evidence[199_999], score: 2 };
    const { parts } = highlight({ text, evidence });
    expect(parts.filter(({ strength }) => strength > 0)).toEqual([{ text: 'word', strength: 1 }]);
  });

  test('shows the beginning of a text without evidence', () => {
    expect(highlight({ text: owls }, { length: 30 })).toEqual({
      text: 'Owls are birds of the night. …',
      parts: [{ text: 'Owls are birds of the night.', strength: 0 }],
      span: [0, 28],
    });
  });

  test('finds the words of Chinese', () => {
    const text = '今天天气很好，我们去公园散步吧。';
    const at = text.indexOf('公');
    const evidence: Evidence[] = [
      { queryToken: 0, querySpan: undefined, token: 0, span: [at, at + 1], score: 1 },
    ];
    expect(highlight({ text, evidence }).text).toContain('**公园**');
  });

  test('never cuts a grapheme, keeps to its length, and shows what it says', () => {
    const spans = fc.array(
      fc.tuple(
        fc.nat(400),
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
    );
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
    fc.assert(
      fc.property(anyText, spans, fc.integer({ min: 1, max: 80 }), (text, places, length) => {
        const evidence = places
          .filter(([at, size]) => at + size <= text.length)
          .map(([at, size, score], queryToken): Evidence => {
            return { queryToken, querySpan: undefined, token: 0, span: [at, at + size], score };
          });
        const breaks = new Set([...segmenter.segment(text)].map(({ index }) => index));
        breaks.add(text.length);
        const { parts, span, text: shown } = highlight({ text, evidence }, { length });
        expect(parts.map((part) => part.text).join('')).toBe(text.slice(...span));
        let at = span[0];
        for (const part of parts) {
          expect(breaks.has(at)).toBe(true);
          expect(part.strength).toBeGreaterThanOrEqual(0);
          expect(part.strength).toBeLessThanOrEqual(1);
          at += part.text.length;
        }
        expect(breaks.has(at)).toBe(true);
        const one = [...segmenter.segment(text.slice(...span))].length <= 1;
        if (!one) expect(span[1] - span[0]).toBeLessThanOrEqual(length);
        expect(
          shown.includes(text.slice(...span)) || parts.some(({ strength }) => strength > 0),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, () => unknown]>([
    ['a hit without text', () => highlight({ evidence: [] })],
    ['no hit', () => highlight(undefined as never)],
    ['a length of 0', () => highlight({ text: 'a' }, { length: 0 })],
    ['an unknown option', () => highlight({ text: 'a' }, { lenght: 9 } as object)],
  ])('refuses %s', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

test('a hybrid hit shows the name that its keywords found, whatever its meaning matched', () => {
  const before = 'The module loads at once, which nobody minds. '.repeat(9);
  const text = `${before}It threw ERR_MODULE_NOT_FOUND at v1.2.3.`;
  const query = 'why does it throw err_module_not_found with node:fs in v1.2.3?';
  const hit = { text, evidence: evidenceOf(text, { module: 0.9, nobody: 0.5 }) };
  expect(highlight(hit, { query, length: 60 }).text).not.toContain('NOT_FOUND');
  const parts = { meaning: 3, keywords: 2 };
  const { text: shown } = highlight({ ...hit, parts }, { query, length: 60 });
  expect(shown).toContain('**ERR_MODULE_NOT_FOUND**');
  expect(shown).toContain('**v1.2.3**');
  // no plain word, no part of a longer name
  const plain = 'It does throw; v1.2.34 and NODE:FSX, node:fs.';
  const names = highlight({ text: plain, evidence: [], parts }, { query }).parts;
  expect(names.filter(({ strength }) => strength > 0).map((part) => part.text)).toEqual([
    'node:fs',
  ]);
});
