// How well long documents are found: the abstracts of a BEIR folder joined to files, which an index
// cuts into passages, beside the same abstracts as documents of their own:
//   node bench/passages.mjs BEIR [--joined 20] [--threads 2] [--json FILE]
// A file is right that holds a judged abstract, a passage that shares text with one. Both indexes
// are made with the default encoder, in a temporary folder, and fitted.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Index, readBeir } from '../dist/entry/node.js';
import { ndcgAt } from '../dist/search/metrics.js';
import { machine, readQrels } from './vectors.mjs';

const K = 10;
/** Passages that may stand for their abstracts, enough for ten of these. */
const DEEP = 50;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    joined: { type: 'string', default: '20' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const [folder] = positionals;
if (!folder) throw new Error('expected a BEIR folder: node bench/passages.mjs BEIR');
const { documents, queries } = await readBeir(folder);
const qrels = readQrels(join(folder, 'qrels.tsv'));
const asked = queries.filter(({ id }) => qrels.has(id));
const abstracts = [];
for await (const { id, title, text } of documents) abstracts.push({ id, title, text });
const joined = Number(values.joined);
const files = [];
for (let from = 0; from < abstracts.length; from += joined)
  files.push(fileOf(`${files.length}.md`, abstracts.slice(from, from + joined)));
const places = new Map(files.flatMap(({ places }) => places));

const work = mkdtempSync(join(tmpdir(), 'lemur-passages-'));
const rows = [];
try {
  rows.push(await measureFiles(), await measureAbstracts());
} finally {
  rmSync(work, { recursive: true });
}
console.log(
  `${machine}, ${values.threads} threads; ${abstracts.length} abstracts, ${files.length} files, ` +
    `${asked.length} queries`,
);
console.table(rows);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);

/** Abstracts under their titles, and where in the file each is. */
function fileOf(id, parts) {
  let text = '';
  const places = parts.map((part) => {
    const from = text.length;
    text += `# ${part.title}\n\n${part.text}\n\n`;
    return [part.id, { file: id, span: [from, text.length] }];
  });
  return { id, text, places };
}

async function made(name, documents, options) {
  const from = performance.now();
  const index = await Index.openOrCreate(join(work, name), {
    threads: Number(values.threads),
    features: 'trained',
    ...options,
  });
  await index.add(documents, { fit: false });
  const added = performance.now();
  await index.fit();
  const seconds = (a, b) => Math.round((b - a) / 1000);
  return { index, 'add s': seconds(from, added), 'fit s': seconds(added, performance.now()) };
}

async function measureFiles() {
  const all = files.map(({ id, text }) => ({ id, text }));
  const { index, ...times } = await made('files', all, { passages: {} });
  const found = { first: 0, ten: 0, passage: 0, amongTen: 0, exact: 0, ndcg: 0 };
  for (const { id, text } of asked) {
    const judged = qrels.get(id);
    const right = [...judged.keys()].map((abstract) => places.get(abstract)).filter(Boolean);
    const isRight = (file) => right.some((place) => place.file === file);
    const holds = ({ source, span }) =>
      right.some((it) => it.file === source && span[0] < it.span[1] && it.span[0] < span[1]);
    const grouped = await index.search(text, { k: K, groupBy: 'source', include: [] });
    if (isRight(grouped.hits[0].id)) found.first++;
    if (grouped.hits.some((hit) => isRight(hit.id))) found.ten++;
    const { hits } = await index.search(text, { k: DEEP, include: [] });
    if (holds(hits[0].passage)) found.passage++;
    if (hits.slice(0, K).some(({ passage }) => holds(passage))) found.amongTen++;
    const exact = await index.search(text, { k: K, exact: true, include: [] });
    const least = exact.hits.at(-1).score;
    found.exact += hits.slice(0, K).filter(({ score }) => score >= least).length / K;
    found.ndcg += ndcgAt(abstractsOf(hits), judged, K);
  }
  const result = row('files in passages', index.size, times, {
    'right file first': found.first,
    'among ten': found.ten,
    'right passage first': found.passage,
    'among ten passages': found.amongTen,
    'recall of exact': found.exact,
    'nDCG@10 of abstracts': found.ndcg,
  });
  await index.close();
  return result;
}

/** The abstracts of passages, the best first; a passage of two counts for what it has most of. */
function abstractsOf(hits) {
  const ids = hits.map(({ passage: { source, span } }) => {
    const file = files[Number.parseInt(source, 10)];
    const shared = file.places.map(
      ([, place]) => Math.min(span[1], place.span[1]) - Math.max(span[0], place.span[0]),
    );
    return file.places[shared.indexOf(Math.max(...shared))][0];
  });
  return [...new Set(ids)];
}

async function measureAbstracts() {
  const all = abstracts.map(({ id, title, text }) => ({ id, text: `${title}\n\n${text}` }));
  const { index, ...times } = await made('abstracts', all, {});
  let [first, ten, same, ndcg] = [0, 0, 0, 0];
  for (const { id, text } of asked) {
    const judged = qrels.get(id);
    const { hits } = await index.search(text, { k: K, include: [] });
    const exact = await index.search(text, { k: K, exact: true, include: [] });
    const least = exact.hits.at(-1).score;
    if (judged.has(hits[0].id)) first++;
    if (hits.some((hit) => judged.has(hit.id))) ten++;
    same += hits.filter(({ score }) => score >= least).length / K;
    ndcg += ndcgAt(
      hits.map((hit) => hit.id),
      judged,
      K,
    );
  }
  const result = row('abstracts, cut off', index.size, times, {
    'right passage first': first,
    'among ten passages': ten,
    'recall of exact': same,
    'nDCG@10 of abstracts': ndcg,
  });
  await index.close();
  return result;
}

function row(name, size, times, sums) {
  const means = Object.entries(sums).map(([key, sum]) => [key, +(sum / asked.length).toFixed(3)]);
  return { '': name, size, ...times, ...Object.fromEntries(means) };
}
