import { expect, test } from 'vitest';
import { Index, isLemurError, Lemur, memoryStorage, type Storage } from '../../dist/entry/node.js';

const one = (id: string) => ({ id, tokens: [[1, 0, 0, 0, 0, 0, 0, 0]] });

const answers: Record<string, Partial<Record<keyof Storage, unknown>>> = {
  'list gives null': { list: async () => null },
  'list gives numbers': { list: async () => [5, null] },
  'read gives null': { read: async () => null },
  'read gives text': { read: async () => 'x' },
  'read gives an array': { read: async () => [1, 2] },
  'open gives null': { open: async () => null },
  'open gives a file that reads text': {
    open: async () => ({ size: 5, read: async () => 'x', close: async () => {} }),
  },
  'open gives a file whose size is no number': {
    open: async () => ({ size: Number.NaN, read: async () => null, close: async () => {} }),
  },
  'open gives a file without a size': {
    open: async () => ({ read: async () => new Uint8Array(1), close: async () => {} }),
  },
  'lock gives null': { lock: async () => null },
  'lock gives what cannot be released': { lock: async () => ({}) },
};

test.each(Object.entries(answers))(
  'whatever a storage answers, errors are our own: %s',
  async (_, wrong) => {
    const options = { dim: 8, threads: 1 };
    const lemur = await Lemur.fit([[[1, 0]], [[0, 1]], [[1, 1]]], {
      epochs: 0,
      finalHiddenDim: 4,
      olsSampleSize: 4,
      threads: 1,
    });
    const full = memoryStorage();
    const made = await Index.create(full, options);
    await made.add(one('a'));
    await made.close();
    const saved = memoryStorage();
    await lemur.save(saved);
    const failures: unknown[] = [];
    const check = async (call: () => Promise<unknown>): Promise<unknown> =>
      call().catch(
        (error: unknown) => void failures.push(isLemurError(error) ? error.code : error),
      );
    const using = (storage: Storage): Storage => ({ ...storage, ...wrong }) as Storage;
    for (const open of [
      () => Index.create(using(memoryStorage()), options),
      () => Index.open(using(full), { threads: 1 }),
      () => Index.open(using(full), { write: true, threads: 1 }),
    ])
      await check(async () => {
        const index = await open();
        await check(() => index.add(one('b')));
        await check(() => index.search([[1, 0, 0, 0, 0, 0, 0, 0]]));
        await check(() => index.verify());
        await check(() => index.close());
      });
    await check(() => lemur.save(using(memoryStorage())));
    await check(() => Lemur.load(using(saved)));
    // a reader that was asked to add, at least
    expect(failures.length).toBeGreaterThan(0);
    for (const failure of failures) expect(failure).toBeTypeOf('string');
  },
);
