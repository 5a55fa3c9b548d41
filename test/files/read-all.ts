import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import type { FolderFile, FolderOptions, SkippedFile } from '../../src/files/node-folder-file.js';
import { readFolder } from '../../src/files/node-read-folder.js';
import { temporaryFolder } from '../temporary-folder.js';

type Content = string | Uint8Array;

let root: string;
let number = 0;
beforeAll(async () => {
  root = await temporaryFolder('files');
});

/** A new folder with these files. */
export async function folderOf(files: Readonly<Record<string, Content>>): Promise<string> {
  const folder = join(root, `folder-${number++}`);
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export interface Read {
  readonly files: readonly FolderFile[];
  readonly skipped: readonly SkippedFile[];
  /** Texts by ids. */
  readonly texts: Readonly<Record<string, string>>;
}

/** All that a folder gives and leaves out. */
export async function readAll(folder: string, options: FolderOptions = {}): Promise<Read> {
  const skipped: SkippedFile[] = [];
  const files: FolderFile[] = [];
  const source = readFolder(folder, { ...options, onSkipped: (one) => skipped.push(one) });
  for await (const file of source) files.push(file);
  expect(source.skipped).toBe(skipped.length);
  expect(Object.values(source.reasons).reduce((sum, count) => sum + count, 0)).toBe(skipped.length);
  return { files, skipped, texts: Object.fromEntries(files.map(({ id, text }) => [id, text])) };
}

export const reasonsOf = ({ skipped }: Read): Record<string, string> =>
  Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]));
