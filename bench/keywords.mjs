// How well searches rank by meaning, by keywords and by both: nDCG@10 of a collection's judged
// queries, and what keywords cost:
//   node bench/keywords.mjs VECTORS TEXT [--fusions] [--words] [--cost]
// VECTORS: a folder of token vectors (vectorize.mjs); TEXT: corpus.jsonl, queries.jsonl, qrels.tsv,
// and where there are training queries train_queries.jsonl and train_qrels.tsv, with their vectors
// as train_queries.i8.npy. --fusions: other ways of fusing, of the same 200 best of each ranking.
// --words: other words, and other parameters of BM25, by its plain formula. --cost: what keywords
// cost, and nothing else.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Index, memoryStorage, readNpy } from '../dist/entry/node.js';
import { wordsOf } from '../dist/keywords/words.js';
import { ndcgAt } from '../dist/search/metrics.js';
import { loadVectors, machine, readQrels } from './vectors.mjs';

const K = 10;
/** Documents of each ranking that are fused. */
const DEPTH = 200;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    fusions: { type: 'boolean' },
    words: { type: 'boolean' },
    cost: { type: 'boolean' },
  },
});
const [vectorsFolder, textFolder] = positionals;
const lines = (name) =>
  readFileSync(`${textFolder}/${name}`, 'utf8')
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => JSON.parse(line));
const matrixOf = ({ vectors, counts, dim }) => {
  let from = 0;
  return Array.from(counts, (count) => {
    const data = vectors.slice(from * dim, (from + count) * dim);
    from += count;
    return { data, dims: [count, dim] };
  });
};

const all = loadVectors(vectorsFolder);
const ids = all.ids();
const texts = new Map(
  lines('corpus.jsonl').map(({ _id, title, text }) => [
    String(_id),
    title ? `${title} ${text}` : text,
  ]),
);
const tokens = matrixOf(all.documents);
const documents = all.numbers.map((number, i) => ({
  id: ids[number],
  text: texts.get(ids[number]),
  tokens: tokens[i],
}));
const letters = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text ?? ''), 0);
console.log(
  `${machine}\n${textFolder}: ${documents.length} documents, ` +
    `${(letters / documents.length).toFixed(0)} bytes of text each`,
);

/** Vectors of the queries that are asked, by their texts. */
const vectorsOf = new Map();
const dim = all.documents.dim;
const encoder = {
  id: 'stored vectors',
  dim,
  encodeQuery: async (queries) => {
    const found = queries.map((query) => vectorsOf.get(query));
    const counts = Int32Array.from(found, ({ dims }) => dims[0]);
    const vectors = new Float32Array(counts.reduce((sum, n) => sum + n, 0) * dim);
    let at = 0;
    for (const { data } of found) {
      vectors.set(data, at);
      at += data.length;
    }
    return { vectors, counts, dim };
  },
  encodeDocument: () => Promise.reject(new Error('documents come with their vectors')),
  close: async () => {},
};

const index = await cost();
for (const split of values.cost ? [] : ['train_', '']) {
  if (!existsSync(`${vectorsFolder}/${split}queries.i8.npy`)) continue;
  await report(split);
}
await index.close();

/** Adds the documents with and without keywords in turn. */
async function cost() {
  const seconds = { true: [], false: [] };
  let made;
  for (const keywords of [false, true, false, true, false, true]) {
    await made?.close();
    made = await Index.create(memoryStorage(), { encoder, keywords, features: 'exact' });
    const begin = performance.now();
    await made.add(documents);
    seconds[keywords].push((performance.now() - begin) / 1000);
  }
  const { bytes } = made.stats().keywords;
  const show = (list) => list.map((s) => s.toFixed(2)).join(' ');
  console.log(
    `keywords: ${(bytes / documents.length).toFixed(0)} bytes a document, ` +
      `${((100 * bytes) / letters).toFixed(0)} % of the text; add ${show(seconds.true)} s, ` +
      `without ${show(seconds.false)} s`,
  );
  return made;
}

async function report(split) {
  const read = (name) => readNpy(readFileSync(`${vectorsFolder}/${name}`), name);
  const { data } = read(`${split}queries.i8.npy`);
  const own = matrixOf({
    vectors: Float32Array.from(data, (value) => value / 127),
    counts: read(`${split}queries.lens.npy`).data,
    dim,
  });
  const queryIds = JSON.parse(
    readFileSync(`${vectorsFolder}/${split}queries.ids.json`, 'utf8'),
  ).map(String);
  const asked = new Map(lines(`${split}queries.jsonl`).map(({ _id, text }) => [String(_id), text]));
  const qrels = readQrels(`${textFolder}/${split}qrels.tsv`);
  const queries = queryIds
    .map((id, i) => ({ id, text: asked.get(id), tokens: own[i] }))
    .filter(({ id, tokens: { dims } }) => qrels.has(id) && dims[0] > 0);
  for (const { text, tokens: vectors } of queries) vectorsOf.set(text, vectors);
  const mean = (rankings) => {
    const gains = rankings.map((ranking, i) => ndcgAt(ranking, qrels.get(queries[i].id), K));
    return (gains.reduce((a, b) => a + b, 0) / gains.length).toFixed(4);
  };
  const name = split ? 'training queries' : 'queries';
  console.log(`${name}: ${queries.length} judged`);
  const questions = queries.map(({ text }) => text);
  for (const mode of ['meaning', 'keywords', 'hybrid']) {
    const begin = performance.now();
    const results = await index.searchBatch(questions, { mode, k: K, include: [] });
    const ms = (performance.now() - begin) / queries.length;
    const rankings = results.map(({ hits }) => hits.map(({ id }) => id));
    console.log(`  nDCG@${K} ${mean(rankings)}  ${mode.padEnd(9)} ${ms.toFixed(1)} ms a query`);
  }
  if (values.words) reportWords(questions, mean);
  if (!values.fusions) return;
  const pools = await poolsOf(questions);
  for (const [fusion, fuse] of fusions())
    console.log(`  nDCG@${K} ${mean(pools.map((pool) => bestOf(pool, fuse(pool))))}  ${fusion}`);
}

/** Other words than ours, and other parameters. */
function reportWords(questions, mean) {
  const plain = (text) =>
    Array.from(text.matchAll(/[\p{L}\p{N}\p{M}]+/gu), ([word]) => word.toLowerCase());
  const singular = (word) => [...wordsOf(word, 'query')][0].term;
  const cutters = {
    'letters and digits': plain,
    'the same, singular': (text) => plain(text).map(singular),
    ours: (text, role) => Array.from(wordsOf(text, role), ({ term }) => term),
  };
  for (const [name, cut] of Object.entries(cutters)) {
    const scorer = bm25Of(cut);
    for (const [k1, b] of [
      [0.9, 0.4],
      [1.2, 0.75],
      [1.5, 0.75],
      [2, 0.75],
      [1.5, 0.85],
    ]) {
      const rankings = questions.map((question) => {
        const scores = scorer(question, k1, b);
        const order = [...scores.keys()].sort((a, c) => scores[c] - scores[a] || a - c);
        return order.slice(0, K).map((i) => documents[i].id);
      });
      console.log(`  nDCG@${K} ${mean(rankings)}  ${name}, k1 ${k1}, b ${b}`);
    }
  }
}

/** BM25 of all documents, by its formula. */
function bm25Of(cut) {
  const postings = new Map();
  const lengths = documents.map(({ text }, i) => {
    const counts = new Map();
    const words = cut(text ?? '', 'document');
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts)
      if (postings.has(word)) postings.get(word).push([i, count]);
      else postings.set(word, [[i, count]]);
    return words.length;
  });
  const own = lengths.filter((length) => length > 0);
  const average = own.reduce((a, c) => a + c, 0) / own.length;
  return (question, k1, b) => {
    const scores = new Float64Array(documents.length);
    for (const word of cut(question, 'query')) {
      const list = postings.get(word) ?? [];
      const idf = Math.log(1 + (own.length - list.length + 0.5) / (list.length + 0.5));
      for (const [i, count] of list)
        scores[i] += (idf * count * (k1 + 1)) / (count + k1 * (1 - b + (b * lengths[i]) / average));
    }
    return scores;
  };
}

/** Of each query the best by meaning and by keywords, each scored by both. */
async function poolsOf(questions) {
  const found = await index.searchBatch(questions, {
    mode: 'hybrid',
    k: 2 * DEPTH,
    numCandidates: 2 * DEPTH,
    include: [],
  });
  const words = await index.searchBatch(questions, { mode: 'keywords', k: 1, include: [] });
  return found.map(({ hits }, q) => {
    const [best] = words[q].hits;
    const most = best ? best.score / best.similarity : 1;
    const rank = (values) => {
      const ranks = new Float64Array(values.length);
      const order = [...values.keys()].sort((a, b) => values[b] - values[a] || a - b);
      for (const [place, i] of order.entries()) ranks[i] = place + 1;
      return ranks;
    };
    const byBoth = hits.map(({ id, parts, similarity }) => ({ id, ...parts, similarity }));
    const meaning = rank(byBoth.map((hit) => hit.meaning));
    const keywords = rank(byBoth.map((hit) => hit.keywords));
    const pool = byBoth
      .map((hit, i) => ({
        ...hit,
        share: hit.keywords / most,
        meaningRank: meaning[i],
        keywordsRank: hit.keywords > 0 ? keywords[i] : Infinity,
      }))
      .filter((hit) => hit.meaningRank <= DEPTH || hit.keywordsRank <= DEPTH);
    return pool;
  });
}

function bestOf(pool, scores) {
  const order = [...pool.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
  return order.slice(0, K).map((i) => pool[i].id);
}

/** Ways of fusing: each gives the scores of a pool. */
function* fusions() {
  for (const c of [10, 20, 60])
    for (const w of [0.5, 0.6, 0.7])
      yield [
        `reciprocal ranks, ${c} +, ${w} meaning`,
        (pool) => pool.map((hit) => w / (c + hit.meaningRank) + (1 - w) / (c + hit.keywordsRank)),
      ];
  const weights = [0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9];
  for (const w of weights)
    yield [
      `similarity and share of BM25, ${w} meaning`,
      (pool) => pool.map((hit) => w * hit.similarity + (1 - w) * hit.share),
    ];
  const scaled = (list, least) => {
    const low = least ?? Math.min(...list);
    const range = Math.max(...list) - low || 1;
    return list.map((value) => (value - low) / range);
  };
  for (const [what, least] of [
    ['between the least and the most of the 200', undefined],
    ['between 0 and the most', 0],
  ])
    for (const w of weights)
      yield [
        `${what}, ${w} meaning`,
        (pool) => {
          const meaning = scaled(
            pool.map((hit) => hit.meaning),
            least,
          );
          const keywords = scaled(
            pool.map((hit) => hit.keywords),
            0,
          );
          return meaning.map((value, i) => w * value + (1 - w) * keywords[i]);
        },
      ];
}
