import { describe, expect, test } from 'vitest';
import { RowCache, type StoredRows } from '../../../src/collection/files/row-cache.js';
import type { SearchDevice } from '../../../src/device/device.js';

/** Rows of so many bytes, with a name. */
function rowsOf(name: string, bytes: number): StoredRows {
  return { tensor: { id: name, dtype: 'i8', length: 4 }, bytes, rowLength: 2 } as never;
}

/** A cache of so many bytes, and what the device was asked for. */
function cacheOf(bytes: number, answer: (name: string) => Promise<boolean> = async () => true) {
  const asked: string[] = [];
  const device = {
    cacheRows: (tensor: { id: unknown }, rowLength: number) => {
      expect(rowLength).toBe(2);
      asked.push(String(tensor.id));
      return answer(String(tensor.id));
    },
  } as unknown as SearchDevice;
  return { cache: new RowCache(device, bytes), asked };
}

describe('the cache of rows', () => {
  test('takes whole files, the first opened ones, as far as its bytes go round', async () => {
    const { cache, asked } = cacheOf(100);
    for (const [name, bytes] of Object.entries({ a: 60, b: 50, c: 40, d: 1, e: 0 }))
      cache.add('tokens', rowsOf(name, bytes));
    cache.add('tokens', { ...rowsOf('fetched', 0), tensor: null });
    expect(asked).toEqual([]);
    await cache.share();
    await cache.share();
    expect(asked).toEqual(['a', 'c']);
  });

  test('takes codes before token vectors', async () => {
    const { cache, asked } = cacheOf(100);
    cache.add('tokens', rowsOf('a', 60));
    cache.add('codes', rowsOf('b', 50));
    cache.add('tokens', rowsOf('c', 50));
    await cache.share();
    expect(asked).toEqual(['b', 'c']);
  });

  test('gives what a closed file had to those that have waited', async () => {
    const { cache, asked } = cacheOf(100);
    const [a, b, c] = [rowsOf('a', 90), rowsOf('b', 30), rowsOf('c', 80)];
    for (const rows of [a, b, c]) cache.add('tokens', rows);
    await cache.share();
    cache.remove(b);
    await cache.share();
    expect(asked).toEqual(['a']);
    cache.remove(a);
    await cache.share();
    expect(asked).toEqual(['a', 'c']);
    cache.add('codes', rowsOf('d', 20));
    cache.add('codes', rowsOf('e', 1));
    await cache.share();
    expect(asked).toEqual(['a', 'c', 'd']);
  });

  test('asks again where the device had no room or failed, and does without a device that has no cache', async () => {
    let hasRoom = false;
    const { cache, asked } = cacheOf(100, async (name) => {
      if (name === 'b') throw new Error('closed');
      return hasRoom;
    });
    const [a, b] = [rowsOf('a', 60), rowsOf('b', 60)];
    cache.add('tokens', a);
    cache.add('tokens', b);
    await cache.share();
    hasRoom = true;
    cache.remove(b);
    for (const [name, bytes] of Object.entries({ c: 41, d: 40 }))
      cache.add('tokens', rowsOf(name, bytes));
    await cache.share();
    expect(asked).toEqual(['a', 'b', 'a', 'd']);
    const without = new RowCache({} as SearchDevice, 100);
    without.add('tokens', a);
    await without.share();
    without.remove(a);
  });

  test('counts rows once that are closed while the device is being asked', async () => {
    let answer: (has: boolean) => void = () => {};
    const { cache, asked } = cacheOf(100, (name) =>
      name === 'a' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(true),
    );
    const a = rowsOf('a', 60);
    cache.add('tokens', a);
    const sharing = [cache.share(), cache.share()];
    cache.remove(a);
    answer(false);
    await Promise.all(sharing);
    cache.add('tokens', rowsOf('b', 101));
    cache.add('tokens', rowsOf('c', 100));
    await cache.share();
    expect(asked).toEqual(['a', 'c']);
  });
});
