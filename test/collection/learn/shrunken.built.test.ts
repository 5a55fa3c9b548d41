import { expect, test } from 'vitest';
import { Index, memoryStorage } from '../../../dist/entry/node.js';

/** Enough for features, and two more. */
const COUNT = 4098;

test('an index that has features is fitted anew when it has shrunk below the number that features begin with', async () => {
  const index = await Index.create(memoryStorage(), { dim: 4 });
  const documents = Array.from({ length: COUNT }, (_, i) => ({
    id: `${i}`,
    tokens: [[Math.sin(i), Math.cos(i), Math.sin(2.3 * i), 0.1]],
  }));
  await index.add(documents, { fit: false });
  const small = {
    finalHiddenDim: 16,
    olsSampleSize: 256,
    learnSubsetSize: 256,
    trainSubsetSize: 64,
  };
  expect(await index.fit({ ...small, epochs: 1 })).toMatchObject({
    features: 'trained',
    fittedDocuments: COUNT,
  });
  await index.delete(['0', '1', '2', '3']);
  expect(await index.fit({ ...small, epochs: 0 })).toMatchObject({
    features: 'random',
    fittedDocuments: COUNT - 4,
    documents: COUNT - 4,
  });
  await index.close();
});
