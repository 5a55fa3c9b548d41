import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packagedModel } from '../../dist/encoder/default/node-default-weights.js';
import { shippedProjection } from '../../dist/encoder/default/node-shipped-projection.js';
import { Index, memoryStorage, readBeir } from '../../dist/entry/node.js';
import { loadEncoder, type PoolingEncoder } from '../../dist/entry/node-encoder.js';

let encoder: PoolingEncoder;
let titles: { id: string; text: string }[];
let questions: string[];
beforeAll(async () => {
  encoder = await loadEncoder(undefined, { threads: 1 });
  const beir = await readBeir(fileURLToPath(new URL('../../data/scifact', import.meta.url)));
  titles = [];
  for await (const { id, title } of beir.documents)
    if (titles.push({ id, text: title }) === 70) break;
  questions = beir.queries.slice(0, 8).map(({ text }) => text);
});
afterAll(() => encoder.close());

async function madeOf(...parts: { id: string; text: string }[][]): Promise<Index> {
  const index = await Index.create(memoryStorage(), { encoder });
  for (const part of parts) await index.add(part);
  return index;
}

test('a collection of 1, 2, 13, 60 or 70 short texts finds each of them by its own words', async () => {
  for (const count of [1, 2, 13, 60, 70]) {
    const index = await madeOf(titles.slice(0, count));
    const last = titles[count - 1];
    expect((await index.search(last.text, { k: 1 })).hits[0].id).toBe(last.id);
    await index.close();
  }
});

test('one that was begun with two sentences ranks as one that was made at once', async () => {
  const sentences = [
    { id: 'cat', text: 'The cat sat.' },
    { id: 'dog', text: 'Dogs bark loudly at night.' },
  ];
  const some = titles.slice(0, 60);
  const [grown, made] = [await madeOf(sentences, some), await madeOf([...some, ...sentences])];
  const [a, b] = await Promise.all(
    [grown, made].map((index) => index.searchBatch(questions, { k: 62 })),
  );
  let same = 0;
  let off = 0;
  for (const [q, { hits }] of a.entries()) {
    const others = new Map(b[q].hits.map(({ id, score }) => [id, score]));
    off = Math.max(
      off,
      ...hits.map(({ id, score }) => Math.abs(score - (others.get(id) as number))),
    );
    const best = new Set(b[q].hits.slice(0, 10).map(({ id }) => id));
    same += hits.slice(0, 10).filter(({ id }) => best.has(id)).length;
  }
  // int8 of two means: of sums of some 15 inner products
  expect(off).toBeLessThan(0.15);
  expect(same / (10 * questions.length)).toBeGreaterThan(0.95);
  await Promise.all([grown.close(), made.close()]);
});

test('the default encoder has an id of its own and 128 dimensions, and looks at 180 tokens', async () => {
  expect(encoder.id).toMatch(/^bert-[0-9a-f]{16}-180$/);
  expect(encoder.dim).toBe(128);
  const { counts, truncated } = await encoder.encodeDocument(['word '.repeat(300)]);
  expect([...counts]).toEqual([180]);
  expect(truncated).toBe(1);
});

test('a projection of the caller takes the place of that which the package brings', async () => {
  const matrix = new Float32Array(384 * 2);
  matrix[0] = matrix[3] = 1;
  const narrow = await loadEncoder(undefined, { projection: { matrix, dim: 2 }, threads: 1 });
  const { vectors, dim } = await narrow.encodeQuery(['bees']);
  expect([dim, vectors.length % 2]).toEqual([2, 0]);
  expect(narrow.id).not.toBe(encoder.id);
  await narrow.close();
});

test('other models have no projection, and no more columns are there than 128', async () => {
  const { package: name, version } = await packagedModel(() => true);
  expect(await shippedProjection(`${name}@${version}`, 129)).toBeUndefined();
  expect(await shippedProjection('/anywhere', 64)).toBeUndefined();
  expect(await shippedProjection(`${name}@0.0.1`, 64)).toBeUndefined();
});
