import { describe, expect, test } from 'vitest';
import { graphemeSegmenter, wordSegmenter } from '../../src/passages/graphemes.js';
import { nearSegments } from '../../src/passages/near-segments.js';

describe('segments by what is near', () => {
  test.each([
    [
      'English',
      "The owl's wings don't make 3.14 sounds, (mostly) at night.\r\n\tBut e\u0301tudes do.",
    ],
    ['Greek and Russian', 'Η κουκουβάγια πετά. Сова летает тихо — очень тихо! '],
    ['Arabic and Hebrew', 'تطير البومة بصمت، ينشוף עף בשקט. '],
    ['Hindi', 'उल्लू रात में चुपचाप उड़ता है। क्षत्रिय '],
    ['emoji', 'a family 👩‍👩‍👧 of 🦉 from 🇩🇪🇫🇷, and 👍🏽 '],
  ])('are those of the whole text, of %s', (_, sentence) => {
    const text = sentence.repeat(Math.ceil(9000 / sentence.length));
    for (const segmenter of [wordSegmenter, graphemeSegmenter]) {
      const whole = segmenter.segment(text);
      const near = nearSegments(segmenter, text);
      for (let at = 0; at < text.length; at += 7) {
        const expected = whole.containing(at);
        expect(near.containing(at)).toEqual({ index: expected?.index, segment: expected?.segment });
      }
      expect(near.containing(-1)).toBe(undefined);
      expect(near.containing(text.length)).toBe(undefined);
    }
  });

  test('are short in a text without a break, and cut no pair of surrogates', () => {
    for (const text of ['a'.repeat(9001), `e${'\u0301'.repeat(9000)}`, '\u{20bb7}'.repeat(4500)]) {
      const near = nearSegments(wordSegmenter, text);
      for (const at of [0, 1, 5000, 5001, text.length - 1]) {
        const { index, segment } = near.containing(at) ?? { index: -1, segment: '' };
        expect(index).toBeLessThanOrEqual(at);
        expect(index + segment.length).toBeGreaterThan(at);
        expect(segment.length).toBeLessThanOrEqual(1025);
        expect(text.slice(index, index + segment.length)).toBe(segment);
        expect(/\p{Surrogate}/u.test(segment)).toBe(false);
      }
    }
  });
});
