import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Index, isLemurError, memoryStorage } from '../../../dist/entry/node.js';
import { documentsOf, matrixOf, randomOf } from '../random-documents.js';

const DIM = 8;
const query = matrixOf(4, DIM, randomOf(99));
let folder: string;
let files: Map<string, Uint8Array>;
let expected: string;

/** Everything that a collection answers. */
async function answersOf(index: Index): Promise<string> {
  const ids = Array.from({ length: 600 }, (_, i) => `a${i}`);
  const all = { k: 5, include: ['text', 'metadata', 'evidence'] as const };
  return JSON.stringify([
    await index.get(ids),
    await index.search(query, { ...all, numCandidates: 20 }),
    await index.search(query, { ...all, exact: true }),
    await index.search('text of a7 and a501', { k: 5, mode: 'keywords' }),
    await index.search(query, { ...all, filter: { lang: 'de', number: { $lt: 300 } } }),
  ]);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lemur-corruption-'));
  const index = await Index.create(join(folder, 'whole'), {
    dim: DIM,
    features: 'random',
    threads: 1,
  });
  const documents = documentsOf(600, DIM);
  await index.add(documents.slice(0, 500));
  await index.fit({ olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 32 });
  await index.add(documents.slice(500));
  await index.delete(['a3', 'a555']);
  await index.close();
  const reader = await Index.open(join(folder, 'whole'), { threads: 1 });
  expected = await answersOf(reader);
  await reader.close();
  files = new Map(
    readdirSync(join(folder, 'whole')).map((name) => [
      name,
      new Uint8Array(readFileSync(join(folder, 'whole', name))),
    ]),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Damages one file; null: it is gone. */
type Damage = (bytes: Uint8Array, random: () => number) => Uint8Array | null;

const DAMAGES: Record<string, Damage> = {
  'a bit flipped': (bytes, random) => {
    const out = bytes.slice();
    out[Math.floor(random() * out.length)] ^= 1 << Math.floor(random() * 8);
    return out;
  },
  cut: (bytes, random) => bytes.slice(0, Math.floor(random() * bytes.length)),
  'longer by some bytes': (bytes, random) =>
    new Uint8Array([...bytes, ...new Uint8Array(1 + Math.floor(random() * 9))]),
  'a run of zeros': (bytes, random) => {
    const from = Math.floor(random() * bytes.length);
    const out = bytes.slice().fill(0, from, from + 16);
    return out.every((byte, i) => byte === bytes[i]) ? out.slice(1) : out;
  },
  'in place of it another file': (bytes) =>
    [...files.values()].find((other) => other.length !== bytes.length) as Uint8Array,
  gone: () => null,
};

/** Refused with the file's name, or right; and verify names it where the index opens at all. */
async function check(
  open: () => Promise<Index>,
  name: string,
  what: string,
): Promise<'refused' | 'right'> {
  const refused = (error: unknown): void => {
    expect(isLemurError(error), `${what}: ${String((error as Error)?.stack ?? error)}`).toBe(true);
    expect((error as Error).message, what).toContain(name === 'index.json' ? '' : name);
  };
  let index: Index;
  try {
    index = await open();
  } catch (error) {
    refused(error);
    return 'refused';
  }
  try {
    const { problems } = await index.verify();
    expect(problems.join('; '), what).toContain(name);
    try {
      expect(await answersOf(index), what).toBe(expected);
      return 'right';
    } catch (error) {
      if (!isLemurError(error)) throw error;
      refused(error);
      return 'refused';
    }
  } finally {
    await index.close();
  }
}

test('1,000 damaged files in memory are found, and no answer is silently wrong', {
  timeout: 120_000,
}, async () => {
  const random = randomOf(5);
  const names = [...files.keys()];
  const seen = { refused: 0, right: 0 };
  for (let i = 0; i < 1000; i++) {
    const name = names[i % names.length];
    const kinds = Object.keys(DAMAGES);
    // what needs no chance comes once for each file
    const kind =
      i < names.length * kinds.length
        ? kinds[Math.floor(i / names.length)]
        : kinds[Math.floor(random() * 4)];
    const damaged = DAMAGES[kind](files.get(name) as Uint8Array, random);
    const storage = memoryStorage();
    for (const [other, bytes] of files) if (other !== name) await storage.write(other, bytes);
    if (damaged) await storage.write(name, damaged);
    seen[await check(() => Index.open(storage, { threads: 1 }), name, `${name}: ${kind} (${i})`)]++;
  }
  expect(seen.refused).toBeGreaterThan(500);
});

test('the same holds for 150 damaged files in a folder, which the workers read', {
  timeout: 120_000,
}, async () => {
  const random = randomOf(6);
  const names = [...files.keys()];
  const at = join(folder, 'damaged');
  for (let i = 0; i < 150; i++) {
    const name = names[i % names.length];
    const kind = Object.keys(DAMAGES)[Math.floor(random() * 6)];
    const damaged = DAMAGES[kind](files.get(name) as Uint8Array, random);
    rmSync(at, { recursive: true, force: true });
    cpSync(join(folder, 'whole'), at, { recursive: true });
    if (damaged) writeFileSync(join(at, name), damaged);
    else rmSync(join(at, name));
    await check(() => Index.open(at, { threads: 1 }), name, `${name}: ${kind} (${i})`);
  }
});
