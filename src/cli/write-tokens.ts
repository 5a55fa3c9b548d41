import { join } from 'node:path';
import { createNpyFile, writeNpyFile } from '../formats/npy/node-npy.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import { folderStorage } from '../storage/node-folder.js';
import type { TokenSets } from '../tokens/token-sets.js';

/** `counts.npy` first: where `tokens.npy` is, all is. */
export async function writeTokens(
  folder: string,
  { vectors, counts, dim }: TokenSets,
): Promise<void> {
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
export async function writeDocuments(
  folder: string,
  documents: readonly BeirDocument[],
): Promise<void> {
  const lines = documents.map(({ id, title, text }) => JSON.stringify({ _id: id, title, text }));
  await folderStorage(folder).replace(
    'documents.jsonl',
    new TextEncoder().encode(`${lines.join('\n')}\n`),
  );
}
