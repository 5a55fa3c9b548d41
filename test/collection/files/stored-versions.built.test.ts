import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type Encoder, Index, type SearchResult } from '../../../dist/entry/node.js';
// @ts-expect-error: JavaScript, since the script that makes the indexes uses it too
import { letters as plainLetters } from '../../fixtures/indexes/letters.mjs';

const letters = plainLetters as Encoder;
const root = fileURLToPath(new URL('../../fixtures/indexes/', import.meta.url));
const versions = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() && entry.name.startsWith('version-') ? [entry.name] : [],
);
const temporary = mkdtempSync(join(tmpdir(), 'lemur-versions-'));
afterAll(() => rmSync(temporary, { recursive: true }));

/**
 * The same hits in the same order; scores to the last bits of float32. Earlier versions did not
 * say how similar a hit is.
 */
function expectSame(found: SearchResult, expected: SearchResult): void {
  const rounded = ({ hits, how }: SearchResult) => ({
    how,
    hits: hits.map(({ score, similarity: _, evidence, ...hit }) => ({
      ...hit,
      score: score.toFixed(3),
      evidence: evidence?.map(({ score: product, ...match }) => ({
        ...match,
        score: product.toFixed(3),
      })),
    })),
  });
  expect(JSON.parse(JSON.stringify(rounded(found)))).toEqual(
    JSON.parse(JSON.stringify(rounded(expected))),
  );
}

describe.each(versions)('an index of %s', (version) => {
  const expected = JSON.parse(readFileSync(join(root, version, 'expected.json'), 'utf8'));
  const query = 'ridge ember';

  test('with a model, texts, metadata and deleted documents answers as when it was made', async () => {
    await using index = await Index.open(join(root, version, 'trained'), {
      encoder: letters,
      threads: 1,
    });
    expect(index.stats()).toMatchObject(expected.stats);
    expectSame(
      await index.search(query, { k: 5, include: ['text', 'metadata', 'evidence'] }),
      expected.features,
    );
    expectSame(await index.search(query, { k: 5, exact: true, include: [] }), expected.exact);
    const filter = { 'place.height': { $gte: 300 }, tags: 't1', even: true };
    expectSame(await index.search(query, { k: 5, filter, include: [] }), expected.filtered);
    expect(JSON.parse(JSON.stringify(await index.get(['höhe/7', 'd3', 'd705'])))).toEqual(
      expected.got,
    );
    expect((await index.verify()).problems).toEqual([]);
  });

  test('of pooled float32 vectors answers as when it was made', async () => {
    await using index = await Index.open(join(root, version, 'float32-pooled'), { threads: 1 });
    const { vectors } = await letters.encodeQuery([query]);
    expectSame(
      await index.search({ data: vectors, dims: [query.length, letters.dim] }, { k: 5 }),
      expected.pooled,
    );
    expect((await index.verify()).problems).toEqual([]);
  });

  test('can be changed, and refitted', async () => {
    const at = join(temporary, version);
    cpSync(join(root, version, 'trained'), at, { recursive: true });
    await using index = await Index.open(at, { write: true, encoder: letters, threads: 1 });
    const { size } = index;
    await index.add({ id: 'new', text: 'ridge ember' });
    expect((await index.search(query, { k: 1 })).hits[0].id).toBe('new');
    expect(await index.delete({ filter: { number: { $lt: 10 } } })).toBe(9);
    await index.compact();
    await index.fit({ olsSampleSize: 128, finalHiddenDim: 32, epochs: 0 });
    expect(index.size).toBe(size - 8);
    expect((await index.search(query, { k: 1 })).hits[0].id).toBe('new');
    expect((await index.verify()).problems).toEqual([]);
  });
});
