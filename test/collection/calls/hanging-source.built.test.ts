import { describe, expect, test } from 'vitest';
import { Index, type IndexDocument, memoryStorage } from '../../../dist/entry/node.js';
import { asking, BASE, DIM, documentOf, HANG, never, outcomeOf } from './hangs.js';

/** Gives `documents` and then nothing more. */
function stalled(documents: readonly IndexDocument[], hang: () => Promise<never>) {
  const left = [...documents];
  const state = { returned: 0 };
  const source: AsyncIterable<IndexDocument> = {
    [Symbol.asyncIterator]: () => ({
      next: async () =>
        left.length > 0 ? { done: false, value: left.shift() as IndexDocument } : hang(),
      return: () => {
        state.returned++;
        return never;
      },
    }),
  };
  return { source, state };
}

describe('a source that stops sending', () => {
  test('is left when the signal aborts: add rejects with its reason, return() is called, and the next add works', {
    timeout: HANG,
  }, async () => {
    const index = await Index.create(memoryStorage(), { dim: DIM, threads: 1 });
    const { asked, hang } = asking();
    const { source, state } = stalled(BASE.slice(0, 3), hang);
    const controller = new AbortController();
    const adding = outcomeOf(index.add(source, { signal: controller.signal }));
    await asked;
    controller.abort('enough');
    expect(await adding).toBe('enough');
    expect(state.returned).toBe(1);
    expect(index.size).toBe(0);
    await expect(index.add(BASE)).resolves.toMatchObject({ added: 40 });
    await index.close();
  });

  test('does not keep close(), nor do calls that wait for their turn behind it', {
    timeout: HANG,
  }, async () => {
    const storage = memoryStorage();
    const index = await Index.create(storage, { dim: DIM, threads: 1 });
    const { asked, hang } = asking();
    const { source, state } = stalled(BASE.slice(0, 3), hang);
    const adding = outcomeOf(index.add(source));
    const waiting = [
      index.add(documentOf('b')),
      index.delete('a1'),
      index.compact(),
      index.fit(),
      index.tune(),
      index.refresh(),
    ].map(outcomeOf);
    await asked;
    await index.close();
    expect(await adding).toMatchObject({ code: 'closed' });
    expect(state.returned).toBe(1);
    for (const outcome of await Promise.all(waiting))
      expect(outcome).toMatchObject({ code: 'closed' });
    const again = await Index.open(storage, { write: true, threads: 1 });
    expect(again.size).toBe(0);
    await again.close();
  });

  test('lets a call behind it be stopped by its own signal, and those after that keep their turn', {
    timeout: HANG,
  }, async () => {
    const index = await Index.create(memoryStorage(), { dim: DIM, threads: 1 });
    const { asked, hang } = asking();
    const [first, second] = [new AbortController(), new AbortController()];
    const adding = outcomeOf(index.add(stalled([], hang).source, { signal: first.signal }));
    const stopped = outcomeOf(index.compact({ signal: second.signal }));
    const later = index.add(BASE);
    await asked;
    second.abort('second');
    expect(await stopped).toBe('second');
    expect(index.size).toBe(0);
    first.abort('first');
    expect(await adding).toBe('first');
    await expect(later).resolves.toMatchObject({ added: 40 });
    await index.close();
  });

  test('of a wrong document before it rejects without waiting for return()', {
    timeout: HANG,
  }, async () => {
    const index = await Index.create(memoryStorage(), { dim: DIM, threads: 1 });
    const { source, state } = stalled([BASE[0], { id: '' } as never], () => never);
    await expect(index.add(source)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(state.returned).toBe(1);
    await index.close();
  });
});
