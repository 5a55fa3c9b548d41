import { expect } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { documentsOf, matrixOf, randomOf } from './random-documents.js';
import { DIM, LEARN } from './small-collection.js';

const random = randomOf(5);
export const queries: readonly ReturnType<typeof matrixOf>[] = Array.from({ length: 3 }, () =>
  matrixOf(5, DIM, random),
);
const searches = [
  { numCandidates: 50 },
  { exact: true },
  { filter: { lang: 'de' }, numCandidates: 20 },
  { filter: { number: { $lt: 90 } } },
] as const;

/** All that searches find, one query at a time and together. */
async function answersOf(index: Index): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const options of searches) {
    for (const query of queries) found.push((await index.search(query, options)).hits);
    found.push((await index.searchBatch(queries, options)).map(({ hits }) => hits));
  }
  return found;
}

/** That indexes with room for no vectors, some and all answer alike, through all that changes. */
export async function expectSameAnswers(
  at: string,
  precision: 'int8' | 'float32' | 'int4',
): Promise<void> {
  const made = { dim: DIM, threads: 2, precision, features: 'random' } as const;
  const writer = await Index.create(at, made);
  await writer.add(documentsOf(700, DIM));
  await writer.fit(LEARN);
  const open = (cacheBytes?: number) => Index.open(at, { threads: 2, follow: true, cacheBytes });
  const readers = [await open(0), await open(30_000), await open()];
  const same = async (): Promise<void> => {
    const [expected, ...others] = await Promise.all(readers.map(answersOf));
    for (const found of others) expect(found).toEqual(expected);
    expect(await answersOf(writer)).toEqual(expected);
    expect(await answersOf(readers[2])).toEqual(expected);
  };
  await same();
  await writer.add(documentsOf(200, DIM, 3, 'b'));
  await same();
  await writer.delete(['a7', 'a100', 'b3']);
  await writer.add(documentsOf(5, DIM, 9), { onExisting: 'replace' });
  await same();
  await writer.compact();
  await same();
  for (const index of [...readers, writer]) await index.close();
}
