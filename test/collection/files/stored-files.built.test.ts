import { cpSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Index, type MirrorSource, type SearchResult } from '../../../dist/entry/node.js';
import { readFolder } from '../../../dist/entry/node-files.js';
// @ts-expect-error: JavaScript, since the script that makes the indexes uses it too
import * as notes from '../../fixtures/indexes/notes.mjs';
import { temporaryFolder } from '../../temporary-folder.js';

const { FILES, WIKI, wikiOf, WRITTEN } = notes as {
  FILES: Record<string, string>;
  WIKI: Record<string, string>;
  wikiOf: (documents: Record<string, string>) => MirrorSource;
  WRITTEN: Date;
};
const root = fileURLToPath(new URL('../../fixtures/indexes/', import.meta.url));
const versions = readdirSync(root).filter((name) => name.startsWith('files-'));
const temporary = await temporaryFolder('stored-files');

/** Scores to the last bits of float32: another processor may add in another order. */
function expectSame(found: SearchResult, expected: SearchResult): void {
  const rounded = (result: SearchResult): unknown =>
    JSON.parse(
      JSON.stringify(result, (_, value) =>
        typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : value,
      ),
    );
  expect(rounded(found)).toEqual(rounded(expected));
}

describe.each(versions)('an index of files, %s', (version) => {
  const expected = JSON.parse(readFileSync(join(root, version, 'expected.json'), 'utf8'));
  const at = (name: string): string => join(temporary, version, name);
  // it may be moved with its folder, and is opened where nobody has seen its model
  cpSync(join(root, version), at('.'), { recursive: true });
  for (const name of Object.keys(FILES)) utimesSync(at(`notes/${name}`), WRITTEN, WRITTEN);
  const open = (options = {}) =>
    Index.open(at('notes.lemur'), { encoder: at('model'), threads: 1, ...options });

  test('answers by meaning, keywords and both as when it was made', async () => {
    await using index = await open();
    // what is advised may be put in other words
    const { refit: _, ...stats } = expected.stats;
    expect(index.stats()).toMatchObject({ ...stats, sources: 7 });
    expect(index.stats().encoder).toMatchObject({ id: expected.origin.id });
    const asked = { k: 3, groupBy: 'source', include: ['text', 'metadata'] } as const;
    expectSame(await index.search('green owls fly', asked), expected.meaning);
    const words = 'ERR_MODULE_NOT_FOUND green';
    const both = { ...asked, mode: 'hybrid' } as const;
    expectSame(await index.search(words, both), expected.hybrid);
    await using unread = await open({ encoder: false });
    const include = ['text', 'metadata', 'evidence'] as const;
    const keywords = { ...asked, include, mode: 'keywords' } as const;
    expectSame(await unread.search(words, keywords), expected.keywords);
    expect(
      JSON.parse(
        JSON.stringify(await index.get(['plan.md', 'deep/old.md', 'wiki/bees', 'plan.md#2'])),
      ),
    ).toEqual(expected.got.slice(0, 4));
    expect((await index.verify()).problems).toEqual([]);
  });

  test('goes on in step with its folder and its other source, and can be compacted', async () => {
    const unchanged = Object.keys(FILES).length;
    const none = { added: 0, updated: 0, renamed: 0, deleted: 0, skipped: 0 };
    {
      // nothing is encoded of what is unchanged
      await using index = await open({ encoder: false, write: true });
      expect(await index.mirror(readFolder(at('notes')))).toEqual({ ...none, unchanged });
      expect(await index.mirror(wikiOf(WIKI))).toEqual({ ...none, unchanged: 2 });
    }
    await using index = await open({ write: true });
    writeFileSync(at('notes/new.md'), '# New\n\nA bee flies to ERR_OWL_NOT_FOUND.\n');
    const done = await index.mirror(readFolder(at('notes')));
    expect(done).toMatchObject({ ...none, added: 1, unchanged });
    // terms as the version that wrote them had them, and as they are written now
    const sources = async (words: string): Promise<string[]> => {
      const asked = { mode: 'keywords', groupBy: 'source' } as const;
      return (await index.search(words, asked)).hits.map(({ id }) => id);
    };
    const found = async (): Promise<void> => {
      for (const words of ['Straße', 'STRASSE']) expect(await sources(words)).toEqual(['plan.md']);
      for (const words of ['ΣΑΣ', 'σας']) expect(await sources(words)).toEqual(['deep/old.md']);
    };
    await found();
    await index.compact();
    await found();
    expect(await sources('σασ')).toEqual(['deep/old.md']);
    const asked = { k: 1, mode: 'keywords', groupBy: 'source' } as const;
    for (const [words, id] of [
      ['ERR_OWL_NOT_FOUND', 'new.md'],
      ['ERR_MODULE_NOT_FOUND', 'load.ts'],
    ])
      expect((await index.search(words, asked)).hits[0].id).toBe(id);
    expect((await index.search('a bee flies', { k: 1 })).hits).toHaveLength(1);
    expect((await index.verify()).problems).toEqual([]);
  });
});
