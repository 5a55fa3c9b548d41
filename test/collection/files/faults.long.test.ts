import { describe, expect, test } from 'vitest';
import { Index, type IndexDocument, isLemurError } from '../../../dist/entry/node.js';
import { type Fault, type FaultyStorage, faultyStorage } from '../../storage/faulty-storage.js';
import { randomOf } from '../random-documents.js';

const DIM = 8;
const LEARN = { olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 };

const uniform = randomOf(3);
const documentOf = (id: string, text = id): IndexDocument => ({
  id,
  text,
  tokens: { data: Float32Array.from({ length: 3 * DIM }, () => uniform() - 0.5), dims: [3, DIM] },
  metadata: { group: id.slice(0, 1) },
});
const BASE = Array.from({ length: 40 }, (_, i) => documentOf(`a${i}`));
const MORE = Array.from({ length: 12 }, (_, i) => documentOf(`b${i}`));

/** What is in a collection: ids and texts. */
type State = Record<string, string>;

async function stateOf(index: Index): Promise<State> {
  const ids = [...BASE, ...MORE].map(({ id }) => id);
  const state: State = {};
  for (const found of await index.get(ids)) if (found) state[found.id] = found.text ?? '';
  expect(Object.keys(state)).toHaveLength(index.size);
  return state;
}

const SCENARIOS: Record<
  string,
  { before?: (index: Index) => Promise<unknown>; run: (index: Index) => Promise<unknown> }
> = {
  'adding many': { run: (index) => index.add(MORE) },
  'replacing some': {
    run: (index) => index.add([documentOf('a1', 'new'), ...MORE], { onExisting: 'replace' }),
  },
  'deleting by ids': { run: (index) => index.delete(['a1', 'a7']) },
  'deleting by a filter': {
    before: (index) => index.add(MORE),
    run: (index) => index.delete({ filter: { group: 'b' } }),
  },
  'merging small segments': {
    before: async (index) => {
      for (const document of MORE.slice(0, 7)) await index.add(document);
    },
    run: (index) => index.add(MORE[7]),
  },
  compacting: {
    before: async (index) => {
      await index.add(MORE);
      await index.delete(['a1', 'b2']);
    },
    run: (index) => index.compact(),
  },
  'fitting anew': { run: (index) => index.fit({ ...LEARN, seed: 1 }) },
};

const FAULTS: readonly Fault[] = ['fails', 'truncates', 'drops', 'late'];

/** A collection with a model, whose next changing call may go wrong. */
async function prepared(
  before: ((index: Index) => Promise<unknown>) | undefined,
): Promise<{ storage: FaultyStorage; index: Index }> {
  const storage = faultyStorage();
  const index = await Index.create(storage, { dim: DIM, features: 'random', threads: 1 });
  await index.add(BASE);
  await index.fit(LEARN);
  await before?.(index);
  return { storage, index };
}

describe.each(Object.entries(SCENARIOS))('%s', (_, { before, run }) => {
  test('survives each fault of the storage: the state is that before or after, and what was acknowledged stays', {
    timeout: 120_000,
  }, async () => {
    const clean = await prepared(before);
    const old = await stateOf(clean.index);
    const calls = clean.storage.operations;
    await run(clean.index);
    const fresh = await stateOf(clean.index);
    const count = clean.storage.operations - calls;
    await clean.index.close();
    expect(count).toBeGreaterThan(2);

    for (let n = 0; n < count; n++) {
      for (const how of FAULTS) {
        for (const then of ['alive', 'dead'] as const) {
          // a process that died afterwards hears nothing of it
          if (how === 'late' && then === 'dead') continue;
          const where = `${how}, ${then}, call ${n}`;
          const { storage, index } = await prepared(before);
          storage.failAt(n, how, then);
          const failure: unknown = await run(index).then(
            () => null,
            (error: unknown) => error,
          );
          if (failure !== null)
            expect(isLemurError(failure), `${where}: ${String(failure)}`).toBe(true);
          if (then === 'alive') {
            // the same object agrees with what it has said, and with who opens it now
            const now = await stateOf(index);
            expect([old, fresh], where).toContainEqual(now);
            // what is refused is not there
            expect(now, where).toEqual(failure === null ? fresh : old);
            const reader = await Index.open(storage, { threads: 1 });
            expect(await stateOf(reader), where).toEqual(now);
            await reader.close();
          }
          for (const seed of then === 'dead' ? [1, 2] : [1]) {
            // a sync that only claims success: of that no power failure is survived, but the end of
            // the process is
            const lied = failure === null && how !== 'fails' && then === 'alive';
            const crashed = storage.afterCrash(lied ? () => 0 : randomOf(seed));
            const again = await Index.open(crashed, { write: true, threads: 1 });
            expect((await again.verify()).problems, where).toEqual([]);
            const state = await stateOf(again);
            expect([old, fresh], where).toContainEqual(state);
            if (failure === null) expect(state, where).toEqual(fresh);
            await again.add(documentOf('b11', 'later'), { onExisting: 'replace' });
            // what a crash left behind has been swept
            const files = (await crashed.list()).filter((name) => name.endsWith('.safetensors'));
            expect((await again.verify()).files, where).toBe(files.length);
            await again.close();
          }
          await index.close().catch(() => undefined);
        }
      }
    }
  });
});
