import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FailedFiles } from '../../src/files/node-failed-files.js';
import { folderFiles } from '../../src/files/node-read-folder.js';
import { temporaryFolder } from '../temporary-folder.js';

const root = await temporaryFolder('failed-files');
const kept = join(root, 'cache', 'unread');
const folder = join(root, 'notes');

/** What is said of files that are left out in a run; `read`: those that are listed are read. */
async function run(retry = false): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  const files = folderFiles(
    folder,
    ({ path, reason, error }) => {
      said[path] = error?.message ?? reason;
    },
    new FailedFiles(kept, retry),
  );
  for await (const { read, keep } of files.list()) if (!keep) await read();
  return said;
}

test('what could not be read is not read in the next run, unless that is asked for', async () => {
  await mkdir(folder);
  await writeFile(join(folder, 'damaged.docx'), 'PK no zip at all');
  await writeFile(join(folder, 'blank.md'), '---\ntitle: nothing else\n---\n \n');
  await writeFile(join(folder, 'good.md'), 'Bees dance.');
  const first = await run();
  expect(Object.keys(first).sort()).toEqual(['blank.md', 'damaged.docx']);
  expect(first['blank.md']).toBe('empty');
  expect(await run()).toEqual(first);
  // told by what is kept, not by reading
  const lines = (await readFile(kept, 'utf8')).split('\n').filter(Boolean);
  expect(lines).toHaveLength(2);
  await writeFile(kept, lines.map((line) => `${line.replace(/ .+/, ' told before')}\n`).join(''));
  expect((await run())['damaged.docx']).toBe('damaged.docx: told before');
  expect((await run(true))['damaged.docx']).toBe(first['damaged.docx']);
  // other bytes are another file
  await writeFile(join(folder, 'damaged.docx'), 'PK still no zip');
  expect((await run())['damaged.docx']).toBe(first['damaged.docx']);
});
