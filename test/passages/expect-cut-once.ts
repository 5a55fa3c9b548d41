import { expect } from 'vitest';
import { cutText } from '../../src/passages/cut-text.js';

/** Cuts a text of so many characters, whose passages must follow each other to its end. */
export async function expectCutOnce(characters: number): Promise<void> {
  let counted = 0;
  const sentence = 'Das ist ein Satz von einigen Wörtern, und noch einer. ';
  const text = sentence.repeat(characters / sentence.length);
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
  expect(passages).toBeGreaterThan(characters / 1000);
  expect(counted).toBeLessThan(3 * text.length);
}
