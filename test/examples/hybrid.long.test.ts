import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import MiniSearch from 'minisearch';
import { expect, test } from 'vitest';
import { type Encoder, Index, memoryStorage } from '../../dist/entry/node.js';
// @ts-expect-error: an example, in JavaScript
import { fuse as plainFuse, searchBoth as plainSearch } from '../../examples/hybrid.mjs';
// @ts-expect-error: JavaScript, since the script that makes the indexes of fixtures uses it too
import { letters } from '../fixtures/indexes/letters.mjs';

const fuse = plainFuse as (rankings: readonly (readonly string[])[]) => string[];

test('reciprocal ranks: what both find comes first, then what stands high in one', () => {
  expect(
    fuse([
      ['a', 'b', 'c'],
      ['c', 'd'],
    ]),
  ).toEqual(['c', 'a', 'b', 'd']);
  expect(fuse([[], ['x']])).toEqual(['x']);
});

test('a document that only the keyword engine finds is reranked with the others', async () => {
  const texts = Array.from({ length: 120 }, (_, i) => ({
    id: `d${i}`,
    text: `grove ember ridge number ${i}`,
  }));
  texts.push({ id: 'code', text: 'zz 9 plural z alpha is a place' });
  await using index = await Index.create(memoryStorage(), {
    encoder: letters as Encoder,
    threads: 1,
  });
  await index.add(texts);
  const keywords = new MiniSearch<{ id: string; text: string }>({ fields: ['text'] });
  keywords.addAll(texts);
  const question = 'grove ember ridge alpha';
  const alone = await index.search(question, { k: 50 });
  expect(alone.hits.map(({ id }) => id)).not.toContain('code');
  const search = plainSearch as (
    index: Index,
    keywords: unknown,
    question: string,
    k: number,
  ) => Promise<{ id: string; score: number }[]>;
  const hits = await search(index, keywords, question, 50);
  expect(hits.map(({ id }) => id)).toContain('code');
  for (let i = 1; i < hits.length; i++)
    expect(hits[i].score).toBeLessThanOrEqual(hits[i - 1].score);
  const { hits: exact } = await index.rerank(question, ['code']);
  expect(hits.find(({ id }) => id === 'code')?.score).toBeCloseTo(exact[0].score, 4);
});

test('the example runs as it stands', () => {
  const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const given = [at('data/scifact'), 'microglia and Alzheimer disease'];
  const printed = execFileSync(process.execPath, [at('examples/hybrid.mjs'), ...given], {
    encoding: 'utf8',
  });
  expect(printed.split('\n').filter((line) => /^\d+\.\d\d \d+ /.test(line))).toHaveLength(5);
}, 180_000);
