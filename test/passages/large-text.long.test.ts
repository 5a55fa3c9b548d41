import { expect, test } from 'vitest';
import { cutText } from '../../src/passages/cut-text.js';

test('a text of 10 MB is cut word by word, each counted a few times at most', async () => {
  let counted = 0;
  const sentence = 'Das ist ein Satz von einigen Wörtern, und noch einer. ';
  const text = sentence.repeat(10_000_000 / sentence.length);
  let covered = 0;
  let passages = 0;
  const counting = async (texts: readonly string[]): Promise<number[]> => {
    for (const one of texts) counted += one.length;
    return texts.map((one) => Math.ceil(one.length / 5));
  };
  for await (const { span } of cutText(text, { by: 'text', size: 180, overlap: 0 }, counting)) {
    expect(span[0]).toBe(covered);
    covered = span[1];
    passages++;
  }
  expect(covered).toBe(text.length);
  expect(passages).toBeGreaterThan(10_000);
  expect(counted).toBeLessThan(3 * text.length);
});
