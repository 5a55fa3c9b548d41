import { expect, test } from 'vitest';
import { Index, memoryStorage } from '../../../dist/entry/node.js';
import { rangesStorage } from '../../storage/ranges-storage.js';

const threads = 1;
const search = { mode: 'keywords', include: [] } as const;

test('any byte of the file of keywords that changes is found, and never answers', async () => {
  const texts = ['the moon', 'the sun and the moon', 'a comet', 'dust'];
  const storage = memoryStorage();
  const made = await Index.create(storage, { dim: 2, threads });
  const tokens = { data: Float32Array.of(1, 0), dims: [1, 2] };
  await made.add(texts.map((text, i) => ({ id: `d${i}`, text, tokens })));
  await made.close();
  const [name] = (await storage.list()).filter((file) => file.startsWith('keywords.'));
  const questions = ['moon', 'comet dust', 'the sun', 'nothing'];
  const whole = await Index.open(storage, { threads });
  const expected = await whole.searchBatch(questions, search);
  await whole.close();
  const { length } = await storage.read(name);
  let refused = 0;
  for (let at = 0; at < length; at++) {
    const damaged = rangesStorage(storage);
    damaged.damage(name, at);
    const index = await Index.open(damaged, { threads });
    const { problems } = await index.verify();
    expect(problems.length, `byte ${at}`).toBe(1);
    expect(problems[0]).toContain(name);
    const error = await index.searchBatch(questions, search).catch((cause: unknown) => cause);
    if (Array.isArray(error)) expect(error).toEqual(expected);
    else {
      refused++;
      expect(error).toMatchObject({ code: 'bad-file' });
    }
    await index.close();
  }
  // all but what pads the sections
  expect(refused).toBeGreaterThan(length - 16);
});
