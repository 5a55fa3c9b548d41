// Makes the projection of the default encoder that the package brings,
// src/encoder/default/minilm-projection.safetensors:
//   node scripts/make-projection.mjs [--every 4] [BEIR=EVERY ...]
// The leading principal components of document tokens of SciFact (every fourth text) and, where
// they are named, of other BEIR folders (every so many texts), in descending order, as int8 with a
// factor for each column. Run once for a model; collections keep a copy of what they were made
// with.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findModel } from '../dist/cli/model.js';
import { readBeir } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';
import { writeSafetensors } from '../dist/formats/safetensors/safetensors.js';
import { principalComponents } from '../dist/linalg/principal-components.js';

const DIM = 128;
const MAX_TOKENS = 180;
/** Texts of a call. */
const BATCH = 256;
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { every: { type: 'string', default: '4' } },
});
const sources = [
  [path('data/scifact'), Number(values.every)],
  ...positionals.map((given) => given.split('=')),
];
const { name, reference } = await findModel(undefined);
const encoder = await loadEncoder(name);
const hidden = encoder.dim;
const parts = [];
for (const [folder, every] of sources) {
  const texts = [];
  let number = 0;
  for await (const { title, text } of (await readBeir(folder)).documents) {
    const whole = title ? `${title} ${text}` : text;
    if (whole.trim() && number++ % Number(every) === 0) texts.push(whole);
  }
  let rows = 0;
  for (let at = 0; at < texts.length; at += BATCH) {
    const { vectors } = await encoder.encodeDocument(texts.slice(at, at + BATCH), {
      maxTokens: MAX_TOKENS,
    });
    parts.push(vectors);
    rows += vectors.length / hidden;
    console.error(
      `${folder}: ${Math.min(texts.length, at + BATCH)} of ${texts.length} texts, ${rows} vectors`,
    );
  }
}
await encoder.close();

const vectors = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
let at = 0;
for (const part of parts) {
  vectors.set(part, at);
  at += part.length;
}
const matrix = await principalComponents(vectors, hidden, DIM, {
  sampleRows: vectors.length / hidden,
});
const factors = new Float32Array(DIM);
const codes = new Int8Array(hidden * DIM);
for (let column = 0; column < DIM; column++) {
  for (let i = 0; i < hidden; i++)
    factors[column] = Math.max(factors[column], Math.abs(matrix[i * DIM + column]) / 127);
  for (let i = 0; i < hidden; i++)
    codes[i * DIM + column] = Math.round(matrix[i * DIM + column] / factors[column]);
}
const tensors = {
  projection: { shape: [hidden, DIM], data: codes },
  factors: { shape: [DIM], data: factors },
};
const file = writeSafetensors(tensors, {
  format: 'lemur-projection',
  version: '1',
  model: `${reference.package}@${reference.version}`,
});
writeFileSync(path('src/encoder/default/minilm-projection.safetensors'), file);
console.error(`${vectors.length / hidden} vectors of ${hidden} dimensions, ${file.length} bytes`);
