import { describe, expect, test } from 'vitest';
import { plainCallContext } from '../../../dist/collection/calls/call-context.js';
import { Calls } from '../../../dist/collection/calls/calls.js';
import {
  type Encoder,
  Index,
  type IndexDocument,
  memoryStorage,
} from '../../../dist/entry/node.js';

const HANG = 20_000;
const DIM = 4;
const documentOf = (id: string): IndexDocument => ({ id, tokens: [[1, 0, 0, Number(id.length)]] });
const create = (encoder?: Encoder): Promise<Index> =>
  Index.create(memoryStorage(), encoder ? { encoder, threads: 1 } : { dim: DIM, threads: 1 });

const CALLS: Record<string, (index: Index) => Promise<unknown>> = {
  add: (index) => index.add(documentOf('inner')),
  delete: (index) => index.delete('a'),
  fit: (index) => index.fit(),
  tune: (index) => index.tune(),
  compact: (index) => index.compact(),
  refresh: (index) => index.refresh(),
  close: (index) => index.close(),
};

describe.each(Object.entries(CALLS))('%s', (name, call) => {
  test('inside of the iterable that feeds add is an error that says so, and the collection works on', {
    timeout: HANG,
  }, async () => {
    const index = await create();
    async function* source() {
      yield documentOf('a');
      await Promise.resolve();
      await call(index);
      yield documentOf('b');
    }
    await expect(index.add(source())).rejects.toMatchObject({
      code: 'deadlock',
      fields: { where: name },
      message: expect.stringContaining('inside of what add of this collection is waiting for'),
    });
    await expect(index.add(documentOf('c'))).resolves.toMatchObject({ added: 1 });
    await call(index).catch((error: unknown) =>
      expect(error).not.toMatchObject({ code: 'deadlock' }),
    );
    await index.close();
  });

  test('inside of the encoder that add waits for is too', { timeout: HANG }, async () => {
    const encoder: Encoder = {
      id: 'e',
      dim: DIM,
      encodeQuery: () => Promise.reject(new Error('not asked')),
      async encodeDocument() {
        await Promise.resolve();
        await call(index);
        throw new Error('it did not reject');
      },
      close: async () => {},
    };
    const index = await create(encoder);
    await expect(index.add({ id: 'a', text: 'text' })).rejects.toMatchObject({ code: 'deadlock' });
    await index.close();
  });
});

test('close inside of an encoder that a search waits for is an error, other calls are none', {
  timeout: HANG,
}, async () => {
  const inside: unknown[] = [];
  const encoder: Encoder = {
    id: 'e',
    dim: DIM,
    async encodeQuery() {
      inside.push(
        await index.add(documentOf('inner')),
        await index.close().catch((error: unknown) => error),
      );
      return {
        vectors: new Float32Array(DIM),
        counts: Int32Array.of(1),
        offsets: Float64Array.of(0, 1),
        dim: DIM,
      };
    },
    encodeDocument: () => Promise.reject(new Error('not asked')),
    close: async () => {},
  };
  const index = await create(encoder);
  await index.search('text');
  expect(inside).toMatchObject([{ added: 1 }, { code: 'deadlock' }]);
  await index.close();
});

test('calls from elsewhere wait for their turn, as those of onProgress do, and those on other collections are made', {
  timeout: HANG,
}, async () => {
  const [index, other] = [await create(), await create()];
  let deleting: Promise<unknown> | undefined;
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* source() {
    yield documentOf('a');
    await other.add(documentOf('a'));
    await index.search([[1, 0, 0, 0]]);
    await gone;
    yield documentOf('bb');
  }
  const adding = index.add(source(), {
    onProgress: () => {
      deleting ??= index.delete('a');
    },
  });
  const later = index.add(documentOf('ccc'));
  go();
  await expect(adding).resolves.toMatchObject({ added: 2 });
  expect(await Promise.all([deleting, later])).toMatchObject([1, { added: 1 }]);
  expect(index.size).toBe(2);
  expect(other.size).toBe(1);
  await Promise.all([index.close(), other.close()]);
});

test('through another collection is found as well', { timeout: HANG }, async () => {
  const [index, other] = [await create(), await create()];
  async function* inner() {
    yield documentOf('a');
    await index.add(documentOf('b'));
  }
  async function* outer() {
    await other.add(inner());
    yield documentOf('a');
  }
  await expect(index.add(outer())).rejects.toMatchObject({ code: 'deadlock' });
  await Promise.all([index.close(), other.close()]);
});

test('a generator that goes on after its add has ended may call what it likes', {
  timeout: HANG,
}, async () => {
  const index = await create();
  const controller = new AbortController();
  let after: Promise<unknown> | undefined;
  const gone = new Promise<void>((resolve) => {
    after = (async () => {
      await index
        .add(
          (async function* () {
            yield documentOf('a');
            controller.abort('enough');
            await new Promise((again) => setTimeout(again, 1));
            expect(await index.add(documentOf('b'))).toMatchObject({ added: 1 });
            resolve();
          })(),
          { signal: controller.signal },
        )
        .catch((error: unknown) => expect(error).toBe('enough'));
    })();
  });
  await after;
  await gone;
  await index.close();
});

test('where the engine cannot follow calls, one that is made at once is found, and a later one ends with its signal', {
  timeout: HANG,
}, async () => {
  const calls = new Calls(plainCallContext);
  const outcome = (call: Promise<unknown>): Promise<unknown> =>
    call.catch((error: unknown) => error);
  const found = await calls.write('add', undefined, ({ guard }) =>
    guard(() => outcome(calls.write('delete', undefined, async () => 1))),
  );
  expect(found).toMatchObject({ code: 'deadlock', fields: { where: 'delete' } });
  const controller = new AbortController();
  const late = await calls.write('add', undefined, ({ guard }) =>
    guard(async () => {
      await Promise.resolve();
      const waiting = outcome(calls.write('delete', controller.signal, async () => 1));
      controller.abort('enough');
      return waiting;
    }),
  );
  expect(late).toBe('enough');
  await calls.close(async () => {});
});
