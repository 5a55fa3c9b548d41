import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/bytes/crc32.js';
import { type Postings, PostingsBuilder } from '../../src/keywords/build-postings.js';
import { blockOf, decodePostings, findTerm } from '../../src/keywords/find-term.js';
import { POSTING_CHUNK } from '../../src/keywords/posting-chunk.js';

const step = (): undefined => undefined;

async function built(texts: readonly (string | undefined)[]): Promise<Postings> {
  const builder = new PostingsBuilder(step);
  for (const text of texts) await builder.add(text);
  return builder.finish();
}

/** Texts that have a term, with how often, as the bytes say. */
function lookUp(postings: Postings, term: string): [text: number, count: number][] {
  const { firsts, firstEnds, terms, termEnds, starts } = postings;
  const names = Array.from(firstEnds, (end, i) =>
    new TextDecoder().decode(firsts.subarray(i === 0 ? 0 : firstEnds[i - 1], end)),
  );
  expect([...names].sort()).toEqual(names);
  const block = blockOf(names, term);
  if (block < 0) return [];
  const bytes = terms.subarray(block === 0 ? 0 : termEnds[block - 1], termEnds[block]);
  const place = findTerm(bytes, new TextEncoder().encode(term), starts[block]);
  if (!place) return [];
  const [texts, counts] = [new Int32Array(place.texts), new Int32Array(place.texts)];
  const list = postings.postings.subarray(place.from, place.to);
  expect(decodePostings(list, texts, counts)).toBe(place.texts);
  return Array.from(texts, (text, i) => [text, counts[i]]);
}

describe('postings', () => {
  test('say of each word which texts have it and how often', async () => {
    const word = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é', 'ж'), minLength: 1, maxLength: 4 }),
      fc.nat(3000).map((number) => `w${number}`),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.array(word, { maxLength: 40 }), { nil: undefined }), {
          minLength: 1,
          maxLength: 60,
        }),
        async (texts) => {
          if (!texts.some((text) => text && text.length > 0)) return;
          const postings = await built(texts.map((text) => text?.join(' ')));
          const expected = new Map<string, [number, number][]>();
          for (const [i, text] of texts.entries())
            for (const term of new Set(text))
              expected.set(term, [
                ...(expected.get(term) ?? []),
                [i, text?.filter((other) => other === term).length ?? 0],
              ]);
          for (const [term, list] of expected) expect(lookUp(postings, term)).toEqual(list);
          for (const term of ['', 'a0', 'w', 'zz', 'жжжжж', '\u{10ffff}'])
            expect(lookUp(postings, term)).toEqual(expected.get(term) ?? []);
          expect([...postings.lengths]).toEqual(texts.map((text) => text?.length ?? 0));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('have a checksum for each block and chunk', async () => {
    const texts = Array.from(
      { length: 3000 },
      (_, i) => `all w${i} v${i % 97} ${'x '.repeat(i % 3)}`,
    );
    const { terms, termEnds, termChecks, postings, postingChecks } = await built(texts);
    expect(termEnds.length).toBeGreaterThan(3);
    expect(termChecks).toEqual(
      Int32Array.from(termEnds, (end, i) => crc32(terms.subarray(termEnds[i - 1] ?? 0, end))),
    );
    expect(postings.length).toBeGreaterThan(2 * POSTING_CHUNK);
    expect(postingChecks).toEqual(
      Int32Array.from({ length: Math.ceil(postings.length / POSTING_CHUNK) }, (_, i) =>
        crc32(postings.subarray(i * POSTING_CHUNK, (i + 1) * POSTING_CHUNK)),
      ),
    );
  });

  test('are the same bytes for the same texts', async () => {
    const texts = ['one two three', undefined, 'two 東京', ''];
    expect(await built(texts)).toEqual(await built(texts));
  });
});
