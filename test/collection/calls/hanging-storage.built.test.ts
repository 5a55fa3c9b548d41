import { describe, expect, test } from 'vitest';
import { Index } from '../../../dist/entry/node.js';
import { hangingStorage, type StorageCall } from '../../storage/hanging-storage.js';
import { BASE, DIM, documentOf, HANG, LEARN, outcomeOf, QUERY } from './hangs.js';

describe.concurrent('a storage that never answers', () => {
  type Run = (index: Index, signal?: AbortSignal) => Promise<unknown>;
  const CALLS: Record<string, { of: StorageCall[]; run: Run }> = {
    add: {
      of: ['write', 'sync', 'replace', 'read', 'list'],
      run: (index, signal) => index.add([documentOf('b')], { signal }),
    },
    'add that replaces': {
      of: ['write', 'replace'],
      run: (index, signal) => index.add(BASE[1], { onExisting: 'replace', signal }),
    },
    delete: {
      of: ['write', 'sync', 'open', 'replace', 'read', 'list', 'delete'],
      run: (index, signal) => index.delete('a1', { signal }),
    },
    compact: {
      of: ['file', 'write', 'replace', 'list', 'delete'],
      run: (index, signal) => index.compact({ signal }),
    },
    fit: {
      of: ['file', 'write', 'open', 'replace', 'delete'],
      run: (index, signal) => index.fit({ ...LEARN, seed: 1, signal }),
    },
    tune: { of: ['file', 'replace'], run: (index, signal) => index.tune({ signal }) },
    verify: { of: ['open', 'file', 'close'], run: (index, signal) => index.verify({ signal }) },
    search: { of: ['file'], run: (index, signal) => index.search(QUERY, { signal }) },
  };
  /** A call that waits for what never comes, on a collection of its own. */
  async function stuck(what: StorageCall, run: Run, signal?: AbortSignal) {
    const storage = hangingStorage();
    const index = await prepared(storage);
    storage.hang(what);
    const outcome = outcomeOf(run(index, signal));
    await storage.hangs();
    return { storage, index, outcome };
  }

  /** Each with a collection of its own, all at once. */
  const inAll = (
    of: readonly StorageCall[],
    check: (what: StorageCall) => Promise<void>,
  ): Promise<unknown> => Promise.all(of.map(check));

  test.each(Object.entries(CALLS))(
    '%s ends when its signal aborts while the storage hangs, the next call comes after, ' +
      'and nothing is lost',
    {
      timeout: HANG,
    },
    async (_, { of, run }) => {
      await inAll(of, async (what) => {
        const controller = new AbortController();
        const { storage, index, outcome } = await stuck(what, run, controller.signal);
        controller.abort('enough');
        expect(await outcome, what).toBe('enough');
        const next = index.add(documentOf('next'));
        await storage.release();
        await expect(next, what).resolves.toMatchObject({ added: 1 });
        expect((await index.verify()).problems, what).toEqual([]);
        const ids = await idsOf(index);
        await index.close();
        await expectSame(storage, ids);
      });
    },
  );

  test.each(Object.entries(CALLS))(
    '%s ends with close() while the storage hangs; what comes late changes nothing after that',
    {
      timeout: HANG,
    },
    async (_, { of, run }) => {
      await inAll(of, async (what) => {
        const { storage, index, outcome } = await stuck(what, run);
        await index.close();
        expect(['resolved', expect.objectContaining({ code: 'closed' })], what).toContainEqual(
          await outcome,
        );
        storage.letGo();
        // a replacement or a deletion that is still under way keeps the lock; whoever comes while a
        // data file is being written writes beside it
        const late = ['replace', 'delete'].includes(what);
        if (late)
          await expect(Index.open(storage, { write: true, threads: 1 })).rejects.toMatchObject({
            code: 'locked',
          });
        const early = late ? undefined : await Index.open(storage, { write: true, threads: 1 });
        await early?.add(documentOf('early'));
        await storage.release();
        const again = early ?? (await unlocked(storage));
        await again.add(documentOf('late'));
        expect((await again.verify()).problems, what).toEqual([]);
        const ids = await idsOf(again);
        expect(ids, what).toEqual(expect.arrayContaining(['a39', 'late']));
        await again.close();
        await expectSame(storage, ids);
      });
    },
  );

  test.each(['list', 'lock', 'read', 'open', 'file'] as const)(
    'open ends when its signal aborts while %s hangs, and gives the lock back when that ends',
    {
      timeout: HANG,
    },
    async (what) => {
      const storage = hangingStorage();
      await (await prepared(storage)).close();
      storage.hang(what);
      const controller = new AbortController();
      const opening = outcomeOf(
        Index.open(storage, { write: true, threads: 1, signal: controller.signal }),
      );
      await storage.hangs();
      controller.abort('enough');
      expect(await opening).toBe('enough');
      await storage.release();
      const again = await unlocked(storage);
      await again.close();
    },
  );

  test.each(['list', 'lock', 'replace', 'read'] as const)(
    'create ends when its signal aborts while %s hangs',
    { timeout: HANG },
    async (what) => {
      const storage = hangingStorage();
      storage.hang(what);
      const controller = new AbortController();
      const creating = outcomeOf(
        Index.create(storage, { dim: DIM, threads: 1, signal: controller.signal }),
      );
      await storage.hangs();
      controller.abort('enough');
      expect(await creating).toBe('enough');
      await expect(Index.open(storage, { signal: AbortSignal.abort('before') })).rejects.toBe(
        'before',
      );
      await storage.release();
    },
  );

  test('refresh ends when its signal aborts, and a later one is not undone by it', {
    timeout: HANG,
  }, async () => {
    const storage = hangingStorage();
    const writer = await prepared(storage);
    const reader = await Index.open(storage, { threads: 1 });
    await writer.add(documentOf('b'));
    storage.hang('read');
    const controller = new AbortController();
    const refreshing = outcomeOf(reader.refresh({ signal: controller.signal }));
    await storage.hangs();
    controller.abort('enough');
    expect(await refreshing).toBe('enough');
    await storage.release();
    expect(await reader.refresh()).toBe(true);
    expect(reader.size).toBe(writer.size);
    await reader.close();
    await writer.close();
  });

  /** Two segments, one with a deletion, and a model. */
  async function prepared(storage: ReturnType<typeof hangingStorage>): Promise<Index> {
    const index = await Index.create(storage, { dim: DIM, features: 'random', threads: 1 });
    await index.add(BASE);
    await index.fit(LEARN);
    await index.add(documentOf('c'));
    await index.delete('a0');
    return index;
  }

  /** Opened once the lock has been given back. */
  async function unlocked(storage: ReturnType<typeof hangingStorage>): Promise<Index> {
    for (;;) {
      try {
        return await Index.open(storage, { write: true, threads: 1 });
      } catch (error) {
        expect(error).toMatchObject({ code: 'locked' });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  async function idsOf(index: Index): Promise<string[]> {
    const all = [...BASE.map(({ id }) => id), 'b', 'c', 'next', 'early', 'late'];
    return (await index.get(all)).flatMap((found) => found?.id ?? []);
  }

  async function expectSame(
    storage: ReturnType<typeof hangingStorage>,
    ids: readonly string[],
  ): Promise<void> {
    const reader = await Index.open(storage, { threads: 1 });
    expect(await idsOf(reader)).toEqual(ids);
    expect(reader.size).toBe(ids.length);
    await reader.close();
  }
});
