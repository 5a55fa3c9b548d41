import { describe, expect, test } from 'vitest';
import { Lemur, memoryStorage, type Storage } from '../../dist/entry/node.js';
import { faultyStorage } from '../storage/faulty-storage.js';
import { QUICK, small } from './corpus.js';
import { answers } from './saved-answers.js';

/**
 * A storage whose nth changing call, from 1, fails, as does every later one: the process has died
 * there.
 */
function failingAt(
  storage: Storage,
  n: number,
  before: boolean,
): { storage: Storage; calls: () => number } {
  let calls = 0;
  const guard = async (change: () => Promise<void>): Promise<void> => {
    calls++;
    if (calls > n || (calls === n && before)) throw new Error('disk full');
    await change();
    if (calls === n) throw new Error('disk full');
  };
  return {
    calls: () => calls,
    storage: {
      ...storage,
      async write(file, bytes) {
        // a write that fails leaves a part
        if (calls + 1 === n && before) await storage.write(file, bytes.slice(0, bytes.length >> 1));
        await guard(() => storage.write(file, bytes));
      },
      replace: (file, bytes) => guard(() => storage.replace(file, bytes)),
      delete: (file) => guard(() => storage.delete(file)),
    },
  };
}

describe.each([
  ['before', true],
  ['after', false],
] as const)('a save that fails %s any one of its steps', (_name, before) => {
  test('leaves the older one, or has put the newer whole in its place; the next save succeeds', async () => {
    const older = await Lemur.fit(small, QUICK);
    const newer = await Lemur.fit(small, { ...QUICK, seed: 4 });
    const [old, fresh] = [await answers(older), await answers(newer)];
    const counted = failingAt(memoryStorage(), Infinity, before);
    await older.save(counted.storage);
    const first = counted.calls();
    await newer.save(counted.storage);
    const steps = counted.calls() - first;
    expect(steps).toBeGreaterThan(4);
    let replaced = false;
    for (let n = 1; n <= steps; n++) {
      const storage = memoryStorage();
      await older.save(storage);
      const outcome: unknown = await newer
        .save(failingAt(storage, n, before).storage)
        .catch((error: unknown) => error);
      if (outcome !== undefined) expect(outcome).toMatchObject({ message: 'disk full' });
      const loaded = await Lemur.load(storage);
      const found = await answers(loaded);
      loaded.close();
      // files of the older one that cannot be deleted fail no save
      if (outcome === undefined) expect(found).toEqual(fresh);
      // once the newer one is there it stays
      if (JSON.stringify(found) === JSON.stringify(fresh)) replaced = true;
      else expect(replaced).toBe(false);
      expect(found).toEqual(replaced ? fresh : old);
      await newer.save(storage);
      const saved = await Lemur.load(storage);
      expect(await answers(saved)).toEqual(fresh);
      saved.close();
    }
    expect(replaced).toBe(true);
    older.close();
    newer.close();
  });

  test('into an empty storage leaves nothing that could be taken for a model', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    for (let n = 1; n <= 4; n++) {
      const storage = memoryStorage();
      const outcome: unknown = await lemur
        .save(failingAt(storage, n, before).storage)
        .catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(Error);
      if (n === 4 && !before) (await Lemur.load(storage)).close();
      else await expect(Lemur.load(storage)).rejects.toMatchObject({ code: 'not-found' });
    }
    lemur.close();
  });
});

test('a loss of power before any step of a save, or after it, leaves the older one or the newer, whole', async () => {
  const older = await Lemur.fit(small, QUICK);
  const newer = await Lemur.fit(small, { ...QUICK, seed: 4 });
  const [old, fresh] = [await answers(older), await answers(newer)];
  const begun = faultyStorage();
  await older.save(begun);
  const first = begun.operations;
  const whole = begun.afterCrash();
  await newer.save(whole);
  for (let n = 0; n <= whole.operations; n++) {
    const storage = begun.afterCrash();
    storage.failAt(n, 'drops', 'dead');
    const outcome: unknown = await newer.save(storage).catch((error: unknown) => error);
    expect(outcome === undefined).toBe(n >= first);
    // all kept, cut, lost
    for (const random of [0, 0.5, 0.9]) {
      const loaded = await Lemur.load(storage.afterCrash(() => random));
      const found = await answers(loaded);
      loaded.close();
      // data files, a sync, then the manifest
      expect(found).toEqual(n >= first ? fresh : old);
    }
  }
  older.close();
  newer.close();
});
