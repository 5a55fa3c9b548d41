import { describe, expect, test } from 'vitest';
import { Index, memoryStorage } from '../../../dist/entry/node.js';

const COUNT = 4100;
const KINDS: Record<string, (i: number) => number[]> = {
  'all the same': () => [1, 2, 3],
  'zero vectors': () => [0, 0, 0],
  'of two different tokens': (i) => [i % 2, 1 - (i % 2), 0],
};

describe.each(Object.entries(KINDS))('documents that are %s', (_, of) => {
  test.each([2])(
    'are added, in %i dimensions, whether features can be learned from them or not',
    async (dim) => {
      const storage = memoryStorage();
      const index = await Index.create(storage, { dim, threads: 2 });
      const document = (i: number) => ({ id: `a${i}`, tokens: [of(i).slice(0, dim)] });
      const added = await index.add(Array.from({ length: COUNT }, (_, i) => document(i)));
      expect(added.added).toBe(COUNT);
      const { features, refit } = index.stats();
      if (features === 'exact') {
        expect(added.unfit).toBeTypeOf('string');
        expect(refit).toEqual({ due: false, why: expect.stringContaining(added.unfit ?? '') });
        // it is said once, and not tried at every add, nor by who opens it next
        expect(await index.add(document(COUNT))).not.toHaveProperty('unfit');
        await index.close();
        const again = await Index.open(storage, { write: true, threads: 2 });
        expect(await again.add(document(COUNT + 1))).not.toHaveProperty('unfit');
        expect(again.stats().refit.due).toBe(false);
        await again.close();
      } else {
        expect(added.unfit).toBeUndefined();
        await index.close();
      }
      const reader = await Index.open(storage, { threads: 2 });
      expect((await reader.search([of(3).slice(0, dim)], { k: 5 })).hits).toHaveLength(5);
      await reader.close();
    },
  );
});
