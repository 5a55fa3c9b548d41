import { folderStorage } from '../storage/node-folder.js';
import type { Texts } from './source.js';

/** Writes documents, and queries and judgements where there are queries, as BEIR does, each file in one step. */
export async function writeTexts(folder: string, { documents, queries, qrels }: Texts): Promise<void> {
  const storage = folderStorage(folder);
  const write = (name: string, lines: readonly string[]): Promise<void> =>
    storage.replace(name, new TextEncoder().encode(`${lines.join('\n')}\n`));
  await write(
    'documents.jsonl',
    documents.map(({ id, title, text }) => JSON.stringify({ _id: id, title, text })),
  );
  if (queries.length === 0) return;
  await write(
    'queries.jsonl',
    queries.map(({ id, text }) => JSON.stringify({ _id: id, text })),
  );
  const judgements = [...qrels].flatMap(([query, grades]) => [...grades].map(([document, grade]) => `${query}\t${document}\t${grade}`));
  await write('qrels.tsv', ['query-id\tcorpus-id\tscore', ...judgements]);
}
