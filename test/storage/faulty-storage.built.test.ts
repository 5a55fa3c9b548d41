import { expect, test } from 'vitest';
import { type FaultyStorage, faultyStorage } from './faulty-storage.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const state = (storage: FaultyStorage): Record<string, number[]> =>
  Object.fromEntries([...storage.files()].sort().map(([file, content]) => [file, [...content]]));

async function begun(): Promise<FaultyStorage> {
  const storage = faultyStorage(new Map([['old', bytes(1, 2, 3, 4)]]));
  await storage.write('new', bytes(5, 6, 7, 8));
  await storage.delete('old');
  return storage;
}

test('a loss of power keeps, cuts or loses what was not synced, and undoes deletions or not', async () => {
  const storage = await begun();
  expect(state(storage)).toEqual({ new: [5, 6, 7, 8] });
  expect(state(storage.afterCrash())).toEqual({ old: [1, 2, 3, 4] });
  expect(state(storage.afterCrash(() => 0))).toEqual({ new: [5, 6, 7, 8] });
  expect(state(storage.afterCrash(() => 0.5))).toEqual({ new: [5, 6], old: [1, 2, 3, 4] });
  const answers = [0.4, 0.2];
  expect(state(storage.afterCrash(() => answers.shift() as number))).toEqual({ new: [] });
  await storage.sync();
  expect(state(storage.afterCrash())).toEqual({ new: [5, 6, 7, 8] });
});

test('a replacement is durable when it resolves, and needs no sync', async () => {
  const storage = await begun();
  await storage.replace('old', bytes(9));
  expect(state(storage.afterCrash())).toEqual({ old: [9] });
});

test('calls that fail say so, leave half of a write and nothing of the rest', async () => {
  const storage = await begun();
  expect(storage.operations).toBe(2);
  for (let n = 1; n < 5; n++) storage.failAt(n, 'fails', 'alive');
  await storage.write('good', bytes(1));
  for (const call of [
    () => storage.write('bad', bytes(1, 2)),
    () => storage.replace('new', bytes(1)),
    () => storage.delete('new'),
    () => storage.sync(),
  ]) {
    await expect(call()).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('no space left'),
    });
  }
  expect(state(storage)).toEqual({ bad: [1], good: [1], new: [5, 6, 7, 8] });
  expect(state(storage.afterCrash())).toEqual({ old: [1, 2, 3, 4] });
  expect(storage.operations).toBe(7);
});

test('calls that are cut or dropped claim success', async () => {
  const storage = faultyStorage();
  for (const how of ['truncates', 'drops'] as const) {
    storage.failAt(0, how, 'alive');
    await storage.write(how, bytes(1, 2, 3, 4));
    storage.failAt(0, how, 'alive');
    await storage.replace(`${how} too`, bytes(1, 2));
    storage.failAt(0, how, 'alive');
    await storage.sync();
    storage.failAt(0, how, 'alive');
    await (await storage.lock('lock')).release();
  }
  expect(state(storage)).toEqual({ truncates: [1, 2], 'truncates too.tmp': [1] });
  // half of two files
  expect(state(storage.afterCrash())).toEqual({ truncates: [1, 2] });
});

test('nothing answers after a death, and the next process sees what there was, without locks', async () => {
  for (const how of ['fails', 'truncates', 'drops'] as const) {
    const storage = faultyStorage(new Map([['a', bytes(1, 2)]]));
    await storage.lock('lock');
    await expect(storage.lock('lock')).rejects.toMatchObject({ code: 'locked' });
    const opened = await storage.open('a');
    storage.failAt(0, how, 'dead');
    const calls = [
      () => storage.replace('a', bytes(3, 4)),
      () => storage.read('a'),
      () => storage.list(),
      () => storage.sync(),
      () => opened.read(0, 1),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ code: 'storage-failed' });
    const next = storage.afterCrash();
    expect(state(next)).toEqual({ a: [1, 2] });
    await next.lock('lock');
  }
});
