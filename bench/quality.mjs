// How well exact MaxSim ranks texts by the demo's encoder, as its vectors are and projected to
// fewer dimensions: by the projection that the package brings, as `lemur add` does, and by
// principal components of these texts' own tokens:
//   node bench/quality.mjs BEIR [--max-tokens 180] [--projection FILE.npy] [--model FOLDER]
// nDCG@10 of BEIR's queries and judgements (corpus.jsonl, queries.jsonl, qrels.tsv). FILE: a matrix
// of hidden x 128 to compare with.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findModel } from '../dist/cli/model.js';
import { shippedProjection } from '../dist/encoder/default/node-shipped-projection.js';
import { MaxSim, readBeir, readNpy } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';
import { principalComponents } from '../dist/linalg/principal-components.js';
import { ndcgAt } from '../dist/search/metrics.js';
import { machine, readQrels } from './vectors.mjs';

const DIM = 128;
const K = 10;
/** Leading columns of the package's projection. */
const WIDTHS = [128, 96, 64];

const model = await findModel(undefined);
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'max-tokens': { type: 'string', default: '180' },
    projection: { type: 'string' },
    model: { type: 'string', default: model.name },
  },
});
const [folder] = positionals;
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
await encoder.close();
const hidden = tokens.dim;
console.log(
  `${machine}\n${folder}: ${documents.length} documents, ${tokens.vectors.length / hidden} ` +
    `vectors, ${maxTokens} tokens a text at most`,
);

await report(`all ${hidden} dimensions`, undefined, hidden);
for (const dim of WIDTHS) {
  const shipped =
    values.model === model.name
      ? await shippedProjection(`${model.reference.package}@${model.reference.version}`, dim)
      : undefined;
  if (shipped) await report(`${dim} dimensions, by the package's projection`, shipped, dim);
}
await report(
  `${DIM} dimensions, principal components of all`,
  await principalComponents(tokens.vectors, hidden, DIM),
  DIM,
);
if (values.projection)
  await report(
    values.projection,
    readNpy(readFileSync(values.projection), values.projection).data,
    DIM,
  );

async function report(name, matrix, dim) {
  const exact = await MaxSim.create(projected(tokens, matrix, dim));
  const { indices } = await exact.search(projected(queries, matrix, dim), K);
  exact.close();
  const gains = beir.queries.flatMap(({ id }, i) => {
    const ranking = Array.from(
      indices.subarray(i * K, (i + 1) * K),
      (number) => documents[number].id,
    );
    return qrels.has(id) ? [ndcgAt(ranking, qrels.get(id), K)] : [];
  });
  console.log(`nDCG@${K} ${(gains.reduce((a, b) => a + b, 0) / gains.length).toFixed(4)}  ${name}`);
}

/** Vectors of unit length in `dim` dimensions; without a matrix as they are. */
function projected({ vectors, counts }, matrix, dim) {
  if (!matrix) return { vectors, counts, dim: hidden };
  const out = new Float32Array((vectors.length / hidden) * dim);
  for (let row = 0; row < vectors.length / hidden; row++) {
    const to = out.subarray(row * dim, (row + 1) * dim);
    for (let i = 0; i < hidden; i++) {
      const x = vectors[row * hidden + i];
      for (let j = 0; j < dim; j++) to[j] += x * matrix[i * dim + j];
    }
    const norm = Math.sqrt(to.reduce((sum, y) => sum + y * y, 0));
    for (let j = 0; j < dim; j++) to[j] /= norm;
  }
  return { vectors: out, counts, dim: dim };
}
