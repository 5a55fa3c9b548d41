import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Index, type Storage } from '../../../dist/entry/node.js';
import { documentsOf } from '../random-documents.js';

export const DIM = 8;
export const options = { dim: DIM, threads: 1 } as const;
export const isWindows = process.platform === 'win32';

/** All files of a folder but the lock. */
export async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('writer.lock')).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, (await readFile(join(folder, name))).toString('base64')]),
    ),
  );
}

export async function idsOf(
  where: string | Storage,
  prefixes: readonly string[],
): Promise<string[]> {
  const index = await Index.open(where, { threads: 1 });
  try {
    expect((await index.verify()).problems).toEqual([]);
    const found = await index.get(
      prefixes.flatMap((prefix) => documentsOf(5, DIM, 1, prefix).map(({ id }) => id)),
    );
    const ids = found.flatMap((document) => document?.id ?? []);
    expect(ids).toHaveLength(index.size);
    return ids;
  } finally {
    await index.close();
  }
}

export const five = (prefix: string) => documentsOf(5, DIM, 1, prefix);
export const ids = (...prefixes: string[]) =>
  prefixes.flatMap((prefix) => five(prefix).map(({ id }) => id));
