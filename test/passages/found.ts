import type { CutRules } from '../../src/passages/cut-text.js';

const rule = (size: number): CutRules => ({ by: 'markdown', size, overlap: 0 });

/** Texts that were cut where they should not have been, or not at all. */
export const FOUND: [text: string, rules: CutRules][] = [
  // short stretches of several words, which have more tokens than a passage
  ['\u0600\u0661\u0000🇩🇪🇫🇷日本語のテキスト中文没有空格。', rule(11)],
  ['ภาษาไทยไม่มีช่องว่าง中文没有空格。word ', rule(8)],
  ['\ud83d中文没有空格。éanother-word ', rule(8)],
  ['\ud83d\u1112\u1161\u11ab👩‍👩‍👧‍👦', rule(8)],
  // a mark upon a space, which is no part of the word before it
  ['Supercalifragilisticexpialidocious \u0301', rule(9)],
  // spaces within a word
  [`${'word '.repeat(7)}one\ufefftwo 12\u202f345 end`, rule(8)],
  // words that go on behind what is looked at in one go
  [`${'x'.repeat(4091)} can't ${'y'.repeat(4090)}can't`, rule(20)],
  [`${'word '.repeat(80)}${'x'.repeat(5000)} word`, rule(1300)],
  // a character whose halves are looked at in two goes
  [`${'.'.repeat(4095)}👍🏽${'.'.repeat(4093)}👍🏽.`, rule(20)],
];

/** Texts in which a word has as many tokens as a passage, where the space before it is one. */
export const WITH_SPACES: [text: string, size: number][] = [
  [`word ${'x'.repeat(80)}`, 20],
  ['word Supercalifragilisticexpialidocious', 34],
  ['हिन्दी क्षत्रिय ', 8],
  ['word Sentence. ', 8],
  ['word\n\n\n\n\n\n\n\n\n\n\n\n', 8],
];
