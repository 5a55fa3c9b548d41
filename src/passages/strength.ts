/** How good a place is to cut at; the larger the better. */
export const STRENGTH = {
  /** Within a word that is longer than a passage. */
  grapheme: 1,
  /** Between words without a space. */
  word: 2,
  /** Below a heading, which should not end a passage. */
  belowHeading: 2.5,
  space: 3,
  line: 10,
  sentence: 20,
  item: 30,
  paragraph: 50,
  /** Less the level. */
  heading: 100,
} as const;
