import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText } from '../../src/passages/cut-text.js';
import { WITH_SPACES } from './found.js';
import { anyText, tokensOf } from './texts.js';

/** What encoders count by, each in a way of its own. */
const COUNTS: [name: string, count: (text: string) => number][] = [
  ['spaces as well', (text) => tokensOf(text) + (text.match(/\s/g) ?? []).length],
  ['characters', (text) => text.length],
  ['some characters together', (text) => Math.ceil(text.length / 3)],
  ['bytes', (text) => new TextEncoder().encode(text).length / 2],
  ['a first word otherwise', (text) => tokensOf(text) + (/^\s/.test(text) ? 0 : 1)],
];

describe('size and words hold by the count of an encoder that counts', () => {
  const words = new Intl.Segmenter('en', { granularity: 'word' });
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
  test.each(COUNTS)('%s', async (_name, count) => {
    await fc.assert(
      fc.asyncProperty(anyText, fc.integer({ min: 8, max: 40 }), async (text, size) => {
        const inText = words.segment(text);
        const counting = async (texts: readonly string[]): Promise<number[]> => texts.map(count);
        let at = 0;
        for await (const one of cutText(text, { by: 'markdown', size, overlap: 0 }, counting)) {
          expect(one.span[0]).toBe(at);
          at = one.span[1];
          if (count(one.text) > size)
            expect([...graphemes.segment(text.slice(...one.span))].length).toBe(1);
          const word = inText.containing(one.span[0]);
          if (!word?.isWordLike || word.index === one.span[0]) continue;
          expect(count(word.segment)).toBeGreaterThan(size);
        }
        expect(at).toBe(text.length);
      }),
      { numRuns: 150, examples: WITH_SPACES },
    );
  });
});
