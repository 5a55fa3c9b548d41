// Compiled by hit-types.test.ts, never run: what the type of a hit has, by what is included.
import type { Hit, Include, Index, SearchOptions, SearchResult } from '../../dist/entry/node.js';

interface Paper {
  year: number;
}

export async function hits(index: Index<Paper>): Promise<void> {
  const [named] = (await index.search('q', { include: ['text', 'evidence'] })).hits;
  const spans: (readonly [number, number] | undefined)[] = named.evidence.map(({ span }) => span);
  const text: string | undefined = named.text;
  // @ts-expect-error metadata is not included
  named.metadata;

  const [usual] = (await index.search('q', { k: 3, filter: { year: { $gt: 2000 } } })).hits;
  const year: number | undefined = usual.metadata?.year;
  // @ts-expect-error evidence is included where it is named alone
  usual.evidence;

  const [bare] = (await index.rerank('q', ['a'], { include: [] })).hits;
  // @ts-expect-error nothing is included
  bare.text;

  // what is not known may be absent
  const list: Include[] = [];
  const options: SearchOptions<Paper> = { include: list };
  const [unknown] = (await index.searchBatch(['q'], options))[0].hits;
  const count: number | undefined = unknown.evidence?.length;
  // @ts-expect-error it may not be there
  unknown.evidence.length;

  const any: Hit<Paper>[] = [named, usual, bare, unknown];
  const result: SearchResult<Paper> = await index.search('q', { include: ['metadata'] });
  console.log(spans, text, year, count, any, result);
}
