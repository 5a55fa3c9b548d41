import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { abortable, abortableItems, anyAbort, onAbort } from '../src/abortable.js';

const never = new Promise<never>(() => {});
const HANG = 20_000;

const collected = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe('abortable', () => {
  test('gives what the promise gives', async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(3), signal)).resolves.toBe(3);
    await expect(abortable(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
    await expect(abortable(Promise.resolve(3), undefined)).resolves.toBe(3);
  });

  test('rejects with the reason while the promise never settles', { timeout: HANG }, async () => {
    const controller = new AbortController();
    const outcome = abortable(never, controller.signal).catch((error: unknown) => error);
    controller.abort('enough');
    expect(await outcome).toBe('enough');
    await expect(abortable(never, controller.signal)).rejects.toBe('enough');
  });

  test('puts one listener on a signal, however many calls wait for it', async () => {
    const controller = new AbortController();
    const outcomes = Array.from({ length: 100 }, () =>
      abortable(never, controller.signal).catch((error: unknown) => error),
    );
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort('enough');
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['enough']));
  });

  test('what was taken back is not called', () => {
    const controller = new AbortController();
    const called: string[] = [];
    onAbort(controller.signal, () => called.push('kept'));
    onAbort(controller.signal, () => called.push('taken back'))();
    controller.abort();
    onAbort(controller.signal, () => called.push('late'));
    expect(called).toEqual(['kept', 'late']);
  });
});

test('anyAbort takes the reason of the first that aborts, until its end', () => {
  const [a, b] = [new AbortController(), new AbortController()];
  const [any, ended] = [anyAbort([a.signal, undefined, b.signal]), anyAbort([b.signal])];
  ended.end();
  b.abort('b');
  a.abort('a');
  expect(any.signal.reason).toBe('b');
  expect(ended.signal.aborted).toBe(false);
});

describe('abortableItems', () => {
  test('gives the items of arrays, iterables of promises, and async iterables', async () => {
    const { signal } = new AbortController();
    expect(await collected(abortableItems([1, 2], signal))).toEqual([1, 2]);
    expect(await collected(abortableItems([Promise.resolve(1), 2], signal))).toEqual([1, 2]);
    async function* some() {
      yield 1;
      yield 2;
    }
    expect(await collected(abortableItems(some(), signal))).toEqual([1, 2]);
  });

  test.each(['next', 'the value'])(
    'ends when the signal aborts while %s never settles, and calls return() without waiting for it',
    {
      timeout: HANG,
    },
    async (what) => {
      const controller = new AbortController();
      let returned = 0;
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: (): Promise<IteratorResult<unknown>> =>
            what === 'next' ? never : Promise.resolve({ done: false, value: never }),
          return: () => {
            returned++;
            return never;
          },
        }),
      };
      const outcome = collected(abortableItems(source, controller.signal)).catch(
        (error: unknown) => error,
      );
      await Promise.resolve();
      controller.abort('enough');
      expect(await outcome).toBe('enough');
      expect(returned).toBe(1);
    },
  );

  test('leaves the iterator when its reader stops, even where return() never settles or throws', {
    timeout: HANG,
  }, async () => {
    for (const leave of [
      () => never,
      () => Promise.reject(new Error('not told')),
      () => Promise.resolve({ done: true, value: undefined }),
    ]) {
      let returned = 0;
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: false, value: 1 }),
          return: () => {
            returned++;
            return leave();
          },
        }),
      };
      for await (const item of abortableItems(source as AsyncIterable<number>, undefined)) {
        expect(item).toBe(1);
        break;
      }
      expect(returned).toBe(1);
    }
  });

  test('rejects with what the iterator throws, which has then ended by itself', async () => {
    let returned = 0;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('broken')),
        return: () => {
          returned++;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    await expect(
      collected(abortableItems(source as AsyncIterable<number>, undefined)),
    ).rejects.toThrow('broken');
    expect(returned).toBe(0);
  });

  test('asks for nothing where the signal has aborted before', async () => {
    let asked = 0;
    const source = {
      [Symbol.iterator]: () => {
        asked++;
        return [][Symbol.iterator]();
      },
    };
    await expect(collected(abortableItems(source, AbortSignal.abort('before')))).rejects.toBe(
      'before',
    );
    expect(asked).toBe(0);
  });
});

test.each<[string, unknown]>([
  ['an iterator that is undefined', { [Symbol.asyncIterator]() {} }],
  ['no iterator', { [Symbol.asyncIterator]: null }],
  ['something else for an iterator', { [Symbol.asyncIterator]: 5 }],
  ['an iterator without next()', { [Symbol.iterator]: () => ({}) }],
  ['a next() that gives nothing', { [Symbol.iterator]: () => ({ next() {} }) }],
  [
    'a next() that resolves with a number',
    { [Symbol.asyncIterator]: () => ({ next: async () => 5 }) },
  ],
])('a source with %s is told so', async (_, source) => {
  await expect(
    collected(abortableItems(source as AsyncIterable<unknown>, undefined)),
  ).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('an iterable that breaks its protocol'),
  });
});

test('a source whose asynchronous iterator is null is read by the other one, as for await does', async () => {
  const source = { [Symbol.asyncIterator]: null, [Symbol.iterator]: () => [1, 2].values() };
  expect(await collected(abortableItems(source as unknown as Iterable<number>, undefined))).toEqual(
    [1, 2],
  );
});
