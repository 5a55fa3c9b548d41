import { execFileSync } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  folderStorage,
  Index,
  Lemur,
  LemurError,
  memoryStorage,
  type Storage,
} from '../../dist/entry/node.js';
import { bytesOf, randomTexts } from '../numbers.js';
import { LEMUR, runScript } from '../run-script.js';
import { faultyStorage } from '../storage/faulty-storage.js';
import { QUICK, small, smallQueries } from './corpus.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const added = randomTexts(7, [3, 9, 1], 16);

/** All that a saved and loaded Lemur must give again, to the last byte. */
async function answers(lemur: Lemur): Promise<Record<string, unknown>> {
  const { indices, scores } = await lemur.candidates(smallQueries, 12);
  return {
    shape: [lemur.documents, lemur.dim, lemur.latentDim],
    moments: [lemur.mean, lemur.std],
    options: lemur.options,
    w: await bytesOf(await lemur.W),
    features: await bytesOf(await lemur.computeFeatures(smallQueries)),
    added: await bytesOf(await lemur.computeWeights(added)),
    candidates: [await bytesOf(indices), await bytesOf(scores)],
  };
}

describe('what is saved', () => {
  test.each([
    ['trained', { ...QUICK, seed: 3 }],
    [
      'three layers, mish, no clipping',
      { ...QUICK, numLayers: 3, activation: 'mish' as const, gradClip: null, finalHiddenDim: null },
    ],
    ['random features', { ...QUICK, epochs: 0, activation: 'relu' as const }],
  ])('is the same when loaded, with any number of threads: %s', async (_name, options) => {
    const lemur = await Lemur.fit(small, options);
    const storage = memoryStorage();
    await lemur.save(storage);
    const expected = await answers(lemur);
    for (const threads of [1, 2]) {
      const loaded = await Lemur.load(storage, { threads });
      expect(await answers(loaded)).toEqual(expected);
      loaded.close();
    }
    lemur.close();
  });

  test('is the same in another process: documents added there get the bytes they would have got here', async () => {
    const path = join(folder, 'other-process');
    const lemur = await Lemur.fit(small, QUICK);
    await lemur.save(path);
    const { code, stdout, stderr } = await runScript(
      `
      import { createHash } from 'node:crypto';
      import { Lemur } from ${LEMUR};
      const hash = (values) => createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
      const [path, added, queries] = process.argv.slice(-3);
      const texts = ({ vectors, counts, dim }) => ({ vectors: Float32Array.from(vectors), counts, dim });
      const lemur = await Lemur.load(path);
      const { indices, scores } = await lemur.candidates(texts(JSON.parse(queries)), 12);
      console.log(JSON.stringify({
        w: hash(await lemur.W),
        features: hash(await lemur.computeFeatures(texts(JSON.parse(queries)))),
        added: hash(await lemur.computeWeights(texts(JSON.parse(added)))),
        candidates: [hash(indices), hash(scores)],
      }));`,
      path,
      ...[added, smallQueries].map((texts) =>
        JSON.stringify({ ...texts, vectors: [...texts.vectors] }),
      ),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { w, features, added: weights, candidates } = await answers(lemur);
    expect(JSON.parse(stdout)).toEqual({ w, features, added: weights, candidates });
    lemur.close();
  });

  test('takes the place of what was saved there before, of which no file stays', async () => {
    const path = join(folder, 'twice');
    const first = await Lemur.fit(small, QUICK);
    const second = await Lemur.fit(small, { ...QUICK, seed: 9, finalHiddenDim: 32 });
    await first.save(path);
    const files = (await readdir(path)).length;
    await second.save(path);
    await second.save(path);
    expect((await readdir(path)).length).toBe(files);
    const loaded = await Lemur.load(path);
    expect(await answers(loaded)).toEqual(await answers(second));
    for (const lemur of [first, second, loaded]) lemur.close();
  });

  test('can be loaded while the one that saved it is still open, and saved again from there', async () => {
    const [here, there] = [memoryStorage(), memoryStorage()];
    const lemur = await Lemur.fit(small, QUICK);
    await lemur.save(here);
    const loaded = await Lemur.load(here);
    lemur.close();
    await loaded.save(there);
    await loaded.save(here);
    const again = await Lemur.load(there);
    expect(await answers(again)).toEqual(await answers(loaded));
    for (const name of await there.list()) {
      if (name.startsWith('lemur-model'))
        expect((await there.read(name)).length).toBeGreaterThan(0);
    }
    loaded.close();
    again.close();
  });
});

test('loading reads data files in parts, never one as a whole', async () => {
  const lemur = await Lemur.fit(small, QUICK);
  const storage = memoryStorage();
  await lemur.save(storage);
  const whole: string[] = [];
  const read = (file: string): Promise<Uint8Array> => {
    whole.push(file);
    return storage.read(file);
  };
  const loaded = await Lemur.load({ ...storage, read });
  expect(whole).toEqual(['lemur.json']);
  expect(await answers(loaded)).toEqual(await answers(lemur));
  lemur.close();
  loaded.close();
});

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

describe('a folder that others use too', () => {
  const LEARN = { olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 };

  /** A save as version 1 was, with the names of its files. */
  async function saveOld(lemur: Lemur, to: Storage): Promise<void> {
    const storage = memoryStorage();
    await lemur.save(storage);
    const { lemur: manifest } = JSON.parse(
      new TextDecoder().decode(await storage.read('lemur.json')),
    );
    for (const entry of Object.values<{ name: string } | undefined>(manifest.files)) {
      if (!entry) continue;
      await to.write(entry.name.replace('lemur-', ''), await storage.read(entry.name));
      entry.name = entry.name.replace('lemur-', '');
    }
    await to.write(
      'lemur.json',
      new TextEncoder().encode(
        `${JSON.stringify({ format: 'lemur', version: 1, ...manifest }, null, 2)}\n`,
      ),
    );
  }

  test('an index and a saved Lemur lie in one folder, whichever came first, and a save of before is read and replaced', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    const expected = await answers(lemur);
    for (const order of ['index', 'saved', 'saved before'] as const) {
      const path = join(folder, `both-${order}`);
      const make = async (): Promise<void> => {
        const index = await Index.create(path, { dim: 16, features: 'random', threads: 1 });
        await index.add(
          Array.from({ length: 40 }, (_, i) => ({
            id: `a${i}`,
            tokens: { data: randomTexts(i + 1, [3], 16).vectors, dims: [3, 16] },
          })),
        );
        await index.fit(LEARN);
        await index.close();
      };
      const save = (): Promise<void> =>
        order === 'saved before' ? saveOld(lemur, folderStorage(path)) : lemur.save(path);
      if (order === 'index') await make();
      await save();
      if (order !== 'index') await make();
      for (let i = 0; i < 2; i++) {
        const loaded = await Lemur.load(path);
        expect(await answers(loaded)).toEqual(expected);
        loaded.close();
        const index = await Index.open(path, { write: true, threads: 1 });
        await index.delete(`a${i}`);
        await index.compact();
        expect((await index.verify()).problems).toEqual([]);
        expect(index.size).toBe(39 - i);
        await index.close();
        await lemur.save(path);
      }
      const names = await readdir(path);
      expect(names.filter((name) => /weights|solver/.test(name))).toHaveLength(2);
    }
    lemur.close();
  });

  test('a save leaves what others have there, also under such names, and does not take the place of another lemur.json', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    const own = [
      'model.1.safetensors',
      'weights.7.safetensors',
      'lemur-model.1.safetensors',
      'lemur.json.tmp',
      'notes.txt',
    ];
    const storage = folderStorage(join(folder, 'others'));
    for (const name of own) await storage.write(name, new TextEncoder().encode(`mine: ${name}`));
    await lemur.save(storage);
    await lemur.save(storage);
    for (const name of own)
      expect(new TextDecoder().decode(await storage.read(name))).toBe(`mine: ${name}`);
    (await Lemur.load(storage)).close();
    await storage.replace('lemur.json', new TextEncoder().encode('{"name":"lemur"}'));
    await expect(lemur.save(storage)).rejects.toMatchObject({
      code: 'already-exists',
      message: expect.stringContaining('lemur.json'),
    });
    expect(new TextDecoder().decode(await storage.read('lemur.json'))).toBe('{"name":"lemur"}');
    lemur.close();
  });

  test('of two saves at once one is told that the other is under way; a folder that is swapped meanwhile is left alone', async () => {
    const lemur = await Lemur.fit(small, QUICK);
    const path = join(folder, 'at-once');
    const outcomes = await Promise.allSettled([
      lemur.save(path),
      lemur.save(path),
      lemur.save(path),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'locked' });
    const storage = folderStorage(path);
    const swapped: Storage = {
      ...storage,
      async sync() {
        await storage.sync();
        await rename(path, `${path}-moved`);
        await mkdir(path);
        await writeFile(join(path, 'lemur.json'), 'mine');
      },
    };
    await expect(lemur.save(swapped)).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await readdir(path)).toEqual(['lemur.json']);
    expect(await readFile(join(path, 'lemur.json'), 'utf8')).toBe('mine');
    (await Lemur.load(`${path}-moved`)).close();
    await lemur.save(`${path}-moved`);
    lemur.close();
  });

  test('a load while others save gets one save or the other', async () => {
    const [older, newer] = [
      await Lemur.fit(small, QUICK),
      await Lemur.fit(small, { ...QUICK, seed: 4 }),
    ];
    const [old, fresh] = [await answers(older), await answers(newer)];
    const storage = memoryStorage();
    await older.save(storage);
    let opens = 0;
    const loaded = await Lemur.load({
      ...storage,
      async open(name) {
        if (opens++ === 1) await newer.save(storage);
        return storage.open(name);
      },
    });
    expect([old, fresh]).toContainEqual(await answers(loaded));
    for (const lemur of [older, newer, loaded]) lemur.close();
  });

  test.skipIf(process.platform === 'win32')(
    'a named pipe in place of any file is an error at once',
    { timeout: 20_000 },
    async () => {
      const lemur = await Lemur.fit(small, QUICK);
      const path = join(folder, 'pipes');
      await lemur.save(path);
      for (const name of await readdir(path)) {
        await rename(join(path, name), join(folder, 'aside'));
        execFileSync('mkfifo', [join(path, name)]);
        await expect(Lemur.load(path)).rejects.toMatchObject({
          code: 'not-found',
          message: expect.stringContaining(`${name}: a named pipe`),
        });
        await rm(join(path, name));
        await rename(join(folder, 'aside'), join(path, name));
      }
      lemur.close();
    },
  );
});

describe('what cannot be loaded says which file and why', () => {
  let saved: Map<string, Uint8Array>;
  beforeAll(async () => {
    const storage = memoryStorage();
    const lemur = await Lemur.fit(small, QUICK);
    await lemur.save(storage);
    lemur.close();
    saved = new Map(
      await Promise.all(
        (await storage.list()).map(async (name) => [name, await storage.read(name)] as const),
      ),
    );
  });

  const nameOf = (kind: string): string =>
    [...saved.keys()].find((name) => name.startsWith(`lemur-${kind}`)) as string;

  async function refused(changes: Record<string, Uint8Array | string | null>): Promise<LemurError> {
    const storage = memoryStorage('here');
    for (const [name, bytes] of saved) await storage.write(name, bytes);
    for (const [name, bytes] of Object.entries(changes)) {
      if (bytes === null) await storage.delete(name);
      else
        await storage.write(
          name,
          typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
        );
    }
    const error: unknown = await Lemur.load(storage).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LemurError);
    return error as LemurError;
  }
  /** As version 1 was, which had no checksum of its own. */
  const manifest = (): Record<string, unknown> => ({
    ...{ format: 'lemur', version: 1 },
    ...JSON.parse(new TextDecoder().decode(saved.get('lemur.json'))).lemur,
  });

  test('a folder that is not there, or holds no model', async () => {
    const missing = join(folder, 'missing');
    const error: unknown = await Lemur.load(missing).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'not-found', message: expect.stringContaining(missing) });
    expect((error as LemurError).message).toContain('lemur.json');
    await expect(Lemur.load(memoryStorage('here'))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('here'),
    });
  });

  test.each(['model', 'weights', 'solver'])(
    'a truncated, damaged or missing file of the %s',
    async (kind) => {
      const name = nameOf(kind);
      const bytes = saved.get(name) as Uint8Array;
      const where = `here/${name}`;
      const truncated = await refused({ [name]: bytes.slice(0, bytes.length - 7) });
      expect(truncated).toMatchObject({ code: 'bad-file', fields: { where } });
      expect(truncated.message).toBe(
        `${where}: ${bytes.length - 7} bytes, expected ${bytes.length}: the file is truncated or from another save`,
      );
      for (const at of [9, bytes.length >> 1, bytes.length - 1]) {
        const damaged = bytes.slice();
        damaged[at] ^= 1;
        const error = await refused({ [name]: damaged });
        expect(error).toMatchObject({ code: 'bad-file', fields: { where } });
        expect(error.message).toBe(`${where}: the checksum is wrong, the file is damaged`);
      }
      expect(await refused({ [name]: null })).toMatchObject({
        code: 'not-found',
        fields: { where },
      });
    },
  );

  test('a manifest that is not JSON, not of Lemur or of another version', async () => {
    const where = 'here/lemur.json';
    for (const text of ['', '{', new TextDecoder().decode(saved.get('lemur.json')).slice(0, 100)]) {
      const error = await refused({ 'lemur.json': text });
      expect(error).toMatchObject({
        code: 'bad-file',
        fields: { where },
        message: expect.stringContaining('not JSON'),
      });
      expect(error.cause).toBeInstanceOf(SyntaxError);
    }
    for (const text of ['null', '[]', '{}', '"lemur"', '{ "format": "other" }']) {
      expect(await refused({ 'lemur.json': text })).toMatchObject({
        code: 'bad-file',
        fields: { where },
      });
    }
    const newer = await refused({ 'lemur.json': JSON.stringify({ ...manifest(), version: 99 }) });
    expect(newer).toMatchObject({ code: 'unsupported', fields: { where } });
    expect(newer.message).toMatch(/format version 99, this version of the package reads up to \d/);
  });

  test('a manifest that lacks fields or contradicts its files', async () => {
    const whole = manifest();
    const map = whole.featureMap as Record<string, unknown>;
    for (const changed of [
      { ...whole, files: undefined },
      { ...whole, files: {} },
      { ...whole, featureMap: undefined },
      { ...whole, featureMap: { ...map, widths: [] } },
      { ...whole, featureMap: { ...map, widths: [49] } },
      { ...whole, featureMap: { ...map, inputDim: 17 } },
      { ...whole, featureMap: { ...map, kind: 'other' } },
      { ...whole, featureMap: { ...map, activation: 'tanh' } },
      { ...whole, documents: 41 },
      { ...whole, mean: null },
      { ...whole, std: 'large' },
    ]) {
      const error = await refused({ 'lemur.json': JSON.stringify(changed) });
      expect(error.code, JSON.stringify(changed).slice(0, 400)).toBe('bad-file');
    }
  });

  test('a digit of its manifest that changed, wherever it is', async () => {
    const text = new TextDecoder().decode(saved.get('lemur.json'));
    for (const { index } of text.matchAll(/\d/g)) {
      const other = `${text.slice(0, index)}${(Number(text[index]) + 1) % 10}${text.slice(index + 1)}`;
      const { code } = await refused({ 'lemur.json': other });
      expect(['bad-file', 'unsupported'], other.slice(index - 20, index + 5)).toContain(code);
    }
  });

  test('in a folder of the file system, with the path of the file', async () => {
    const path = join(folder, 'damaged');
    await Promise.all([...saved].map(([name, bytes]) => folderStorage(path).write(name, bytes)));
    (await Lemur.load(path)).close();
    const file = join(path, nameOf('weights'));
    await truncate(file, 100);
    const error: unknown = await Lemur.load(path).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'bad-file',
      fields: { where: file },
      message: expect.stringContaining('100 bytes, expected'),
    });
    await writeFile(join(path, 'lemur.json'), 'hello');
    await expect(Lemur.load(path)).rejects.toMatchObject({
      code: 'bad-file',
      fields: { where: join(path, 'lemur.json') },
    });
    expect(await readFile(join(path, 'lemur.json'), 'utf8')).toBe('hello');
  });
});
