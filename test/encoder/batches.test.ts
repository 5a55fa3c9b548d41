import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textBatches } from '../../src/encoder/batches.js';

test('batches have every text once, keep to the budget and put the longest first', () => {
  const lengths = fc.array(fc.integer({ min: 2, max: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 100 }), (counts, budget) => {
      const texts = counts.map((length, i) => ({
        ids: new Int32Array(length).fill(i),
        attended: 1 + (i % length),
      }));
      const batches = textBatches(texts, budget);
      expect(batches.flatMap((batch) => batch.texts).sort((a, b) => a - b)).toEqual(
        counts.map((_, i) => i),
      );
      let before = Number.POSITIVE_INFINITY;
      for (const { texts: indices, ids, lengths: own, attended } of batches) {
        expect([...attended]).toEqual(indices.map((i) => texts[i].attended));
        expect(own.length * own[0] <= budget || own.length === 1).toBe(true);
        expect([...ids]).toEqual(indices.flatMap((i) => Array.from(texts[i].ids)));
        for (const length of own) {
          expect(length).toBeLessThanOrEqual(before);
          before = length;
        }
      }
    }),
  );
});
