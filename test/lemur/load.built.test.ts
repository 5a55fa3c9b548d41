import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderStorage, Lemur, LemurError, memoryStorage } from '../../dist/entry/node.js';
import { QUICK, small } from './corpus.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

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
        `${where}: ${bytes.length - 7} bytes, expected ${bytes.length}: ` +
          'the file is truncated or from another save',
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
      const digit = (Number(text[index]) + 1) % 10;
      const other = `${text.slice(0, index)}${digit}${text.slice(index + 1)}`;
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
