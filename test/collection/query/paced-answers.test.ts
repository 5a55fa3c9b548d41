import { describe, expect, test } from 'vitest';
import { rankedAt } from '../../../src/collection/query/group-sources.js';
import { joinedText, passageOf } from '../../../src/collection/query/passage.js';
import { PostingsBuilder } from '../../../src/keywords/build-postings.js';
import { fusedScores } from '../../../src/keywords/fuse.js';
import { wordsOf } from '../../../src/keywords/words.js';
import { LongText } from '../../../src/long-text.js';
import { stepPacer } from '../../../src/pacer.js';
import { turnsOf } from '../../turns.js';

const COUNT = 100_000;

describe('the thread is given away', () => {
  test('while values of a ranking are picked', async () => {
    const documents = Int32Array.from({ length: COUNT }, (_, i) => 3 * i);
    const scores = Float32Array.from(documents, (document) => document / 2);
    const places = Int32Array.from({ length: COUNT }, (_, i) => COUNT - 1 - i);
    const ranking = { documents, scores, parts: { meaning: scores, keywords: scores } };
    const { value, turns } = await turnsOf(() => rankedAt(ranking, places, stepPacer()));
    // 16,384 values a turn
    expect(turns).toBeGreaterThanOrEqual(20);
    expect(value.documents).toEqual(documents.toReversed());
    expect(value.scores).toEqual(scores.toReversed());
    expect(value.parts?.keywords).toEqual(scores.toReversed());
  });

  test.each([100, COUNT])('while %i documents are ranked by both', async (count) => {
    const documents = Int32Array.from({ length: count }, (_, i) => (7 * i) % count);
    const near = documents.subarray(0, count / 2);
    const also = documents.subarray(count / 2).toSorted();
    const meaning = (document: number): number => (document % 13) / 2;
    const lists = [near, also].map((own) => ({
      documents: own,
      scores: Float32Array.from(own, meaning),
    }));
    const scores = Float32Array.from({ length: count }, (_, document) => document % 5);
    const { value, turns } = await turnsOf(() =>
      fusedScores(lists, 4, { scores, most: 10 }, stepPacer()),
    );
    expect(turns).toBeGreaterThanOrEqual(count < COUNT ? 0 : 15);
    expect([...value.documents]).toEqual(Array.from({ length: count }, (_, i) => i));
    const expected = (document: number): number =>
      (0.5 * meaning(document)) / 4 + (0.5 * (document % 5)) / 10;
    expect(value.scores).toEqual(Float32Array.from({ length: count }, (_, i) => expected(i)));
    expect(value.parts.meaning).toEqual(Float32Array.from({ length: count }, (_, i) => meaning(i)));
    expect(value.parts.keywords).toEqual(scores);
  });

  test('while the text of a document is put together of its passages', async () => {
    const records = Array.from({ length: COUNT }, (_, i) => ({
      text: `# H\nword${i % 10} `,
      metadata: undefined,
      passage: {
        span: [6 * i, 6 * i + 6] as const,
        lines: [1, 1] as const,
        context: 4,
        ...(i === COUNT - 1 && { length: 6 * COUNT }),
      },
    }));
    const parts = records.map((record, i) => ({
      ...record,
      place: passageOf(`a#${i + 1}`, record),
    }));
    const { value, turns } = await turnsOf(() => joinedText(parts, stepPacer()));
    expect(turns).toBeGreaterThanOrEqual(21);
    expect(value).toBe(Array.from({ length: COUNT }, (_, i) => `word${i % 10} `).join(''));
    parts[5].text = 'other';
    parts[5].passage.span = [31, 36];
    parts[5].place = passageOf('a#6', parts[5]);
    expect(await joinedText(parts, stepPacer())).toBeUndefined();
  });

  test('while words of texts of one each are noted, or of none', async () => {
    const builder = new PostingsBuilder(stepPacer());
    const { turns } = await turnsOf(async () => {
      for (let i = 0; i < 20_000; i++) await builder.add(i % 2 === 0 ? 'word' : undefined);
    });
    expect(turns).toBeGreaterThanOrEqual(8);
    expect(builder.words).toBe(10_000);
  });
});

test('names of many hyphens are told from hyphenated words in a time by their length', () => {
  const terms = (text: string): string[] => [...wordsOf(text, 'document')].map(({ term }) => term);
  expect(terms('well-known')).toEqual(['well', 'known']);
  expect(terms('CVE-2024 a-b_c')).toEqual(['cve-2024', 'cve', '2024', 'a-b_c', 'a', 'b', 'c']);
  // of each place between hyphens all that follows was looked at
  const long = `${'x'.repeat(4096)}-`.repeat(63);
  const first = `${long}y_z`;
  expect(terms(`${first} `.repeat(8)).filter((term) => term === 'z')).toHaveLength(8);
});

test('a long text is what was put, in order', () => {
  const text = new LongText();
  expect(text.length).toBe(0);
  const parts = Array.from({ length: 5000 }, (_, i) => `${i} `.repeat(i % 50));
  for (const part of parts) text.put(part);
  expect(text.length).toBeGreaterThan(0);
  expect(text.join()).toBe(parts.join(''));
  text.put('end');
  expect(text.join()).toBe(`${parts.join('')}end`);
});
