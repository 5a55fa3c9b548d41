import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Index } from '../../../dist/entry/node.js';

const root = fileURLToPath(new URL('../../fixtures/low-bit/', import.meta.url));
const expected = JSON.parse(readFileSync(`${root}expected.json`, 'utf8'));

test.each(['int4', 'int2'])(
  'an index of %s vectors that an earlier version made answers as it did then',
  async (precision) => {
    await using index = await Index.open(`${root}${precision}`, { threads: 1 });
    const { data, dims } = expected.query;
    const { hits } = await index.search({ data: Float32Array.from(data), dims }, { k: 20 });
    const { quantizationError, hits: then } = expected[precision];
    expect(hits.map(({ id }) => id)).toEqual(then.map(({ id }: { id: string }) => id));
    for (const [i, { score }] of hits.entries()) expect(score).toBeCloseTo(then[i].score, 4);
    expect(index.stats()).toMatchObject({ precision, quantizationError });
    expect((await index.verify()).problems).toEqual([]);
  },
);
