import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../bytes/node-file.js';
import { writeError } from '../bytes/node-file-error.js';
import { createNpyFile, writeNpyFile } from '../formats/npy/node-npy.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import { folderStorage } from '../storage/node-folder.js';
import type { TokenSets } from '../tokens/token-sets.js';

/** Vectors, counts, and the texts or ids where they say more than a number. */
export async function writeTokenFolder(
  folder: string,
  documents: readonly BeirDocument[],
  tokens: TokenSets,
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    // what --force leaves must not outlive the vectors that it described
    for (const name of ['tokens.npy', 'documents.jsonl', 'ids.txt'])
      await rm(join(folder, name), { force: true });
  } catch (cause) {
    throw writeError(folder, 'made', cause);
  }
  // a line is an id, unless an id is not a line
  const lines = documents.every(({ id }) => id.trim() !== '' && !/[\r\n\ufeff]/.test(id));
  if (!lines || documents.some(({ title, text }) => title !== '' || text !== ''))
    await writeDocuments(folder, documents);
  else if (documents.some(({ id }, i) => id !== String(i))) {
    await writeWhole(
      join(folder, 'ids.txt'),
      new TextEncoder().encode(`${documents.map(({ id }) => id).join('\n')}\n`),
    );
  }
  await writeTokens(folder, tokens);
}

/** Whether it is the name of a file that `writeTokenFolder` writes, whole or begun. */
export function isTokenFile(name: string): boolean {
  return ['tokens.npy', 'counts.npy', 'ids.txt', 'documents.jsonl'].includes(
    name.replace(/(\.[0-9a-f]{16})?\.tmp$/, ''),
  );
}

/** `counts.npy` first: where `tokens.npy` is, all is. */
async function writeTokens(folder: string, { vectors, counts, dim }: TokenSets): Promise<void> {
  await writeNpyFile(join(folder, 'counts.npy'), { shape: [counts.length], data: counts });
  const file = await createNpyFile(join(folder, 'tokens.npy'), dim);
  try {
    await file.append(vectors);
    await file.finish();
  } finally {
    await file.discard();
  }
}

/** Writes `documents.jsonl` in one step. */
async function writeDocuments(folder: string, documents: readonly BeirDocument[]): Promise<void> {
  const lines = documents.map(({ id, title, text }) => JSON.stringify({ _id: id, title, text }));
  await folderStorage(folder).replace(
    'documents.jsonl',
    new TextEncoder().encode(`${lines.join('\n')}\n`),
  );
}
