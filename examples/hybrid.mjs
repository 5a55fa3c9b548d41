// Keywords and token vectors together: finds documents by minisearch and by Lemur, fuses the two
// rankings by reciprocal rank, and reranks the best of them by MaxSim.
//   node examples/hybrid.mjs FOLDER [QUESTION]     FOLDER: a BEIR folder, as data/scifact
import { fileURLToPath } from 'node:url';
import { Index, memoryStorage, readBeir } from 'lemur';
import { loadEncoder } from 'lemur/encoder';
import MiniSearch from 'minisearch';

/** Ranks below this hardly matter (Cormack, Clarke and Büttcher 2009). */
const RANK = 60;

/** Ids of several rankings, the best first: by the sum of 1 / (60 + rank). */
export function fuse(rankings) {
  const scores = new Map();
  for (const ids of rankings)
    ids.forEach((id, rank) => void scores.set(id, (scores.get(id) ?? 0) + 1 / (RANK + rank + 1)));
  return [...scores].sort(([, a], [, b]) => b - a).map(([id]) => id);
}

/** The k best documents for a question, each with its MaxSim. */
export async function searchBoth(index, keywords, question, k = 10, depth = 50) {
  const found = await index.search(question, { k: depth, include: [] });
  const byWords = keywords.search(question).slice(0, depth);
  const fused = fuse([found.hits.map(({ id }) => id), byWords.map(({ id }) => id)]);
  return (await index.rerank(question, fused.slice(0, depth), { k })).hits;
}

async function main(folder, question = 'does TNF alpha matter in Alzheimer disease?') {
  const texts = [];
  for await (const { id, title, text } of (await readBeir(folder)).documents) {
    texts.push({ id, text: `${title} ${text}` });
    if (texts.length === 300) break;
  }
  const encoder = await loadEncoder();
  const index = await Index.create(memoryStorage(), { encoder });
  await index.add(texts);
  const keywords = new MiniSearch({ fields: ['text'] });
  keywords.addAll(texts);
  console.log(question);
  for (const { id, score, text } of await searchBoth(index, keywords, question, 5))
    console.log(score.toFixed(2), id, text.slice(0, 90));
  await index.close();
  await encoder.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(...process.argv.slice(2));
