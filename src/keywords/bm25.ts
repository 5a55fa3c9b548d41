/**
 * How much more a word says that comes again, and how much less in a long text (0: as much, 1: in
 * proportion): by SciFact's train queries (docs/benchmarks/keywords.md).
 */
const K1 = 1.5;
const B = 0.75;

/** What words are counted over: the texts of a collection that have any, deleted ones left out. */
export interface TextStatistics {
  readonly texts: number;
  /** Words of all of them. */
  readonly words: number;
}

/** The most that a word adds to a score, of which so many texts have it: the rarer, the more. */
export function wordWeight({ texts }: TextStatistics, frequency: number): number {
  return (K1 + 1) * Math.log(1 + (texts - frequency + 0.5) / (frequency + 0.5));
}

/** The share of its weight that a word adds which a text of `length` words has `count` times. */
export function wordShare(count: number, length: number, { texts, words }: TextStatistics): number {
  return count / (count + K1 * (1 - B + (B * length * texts) / words));
}
