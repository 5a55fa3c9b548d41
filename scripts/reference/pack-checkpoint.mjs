// Makes one small file of a checkpoint and the vectors that a library gave, for
// test/fixtures/checkpoints.
//   node scripts/reference/pack-checkpoint.mjs FOLDER LIBRARY TEXTS OUT
// FOLDER has expected-LIBRARY-{query,document}.npy and expected-LIBRARY.json (counts and ids of the
// texts in TEXTS). OUT.safetensors.gz has every file as bytes by its name; embeddings of words that
// no text uses are zeros, and of the vectors every 32nd column is kept, so that it is small.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readNpy, writeNpy } from '../../dist/entry/node.js';
import { writeSafetensors } from '../../dist/formats/safetensors/safetensors.js';

const [folder, library, texts, out] = process.argv.slice(2);
const STRIDE = 32;
const EMBEDDINGS = /(word|tok)_embeddings\.weight$/;
const expected = JSON.parse(readFileSync(join(folder, `expected-${library}.json`), 'utf8'));
const used = new Set([...Array(8).keys()]);
for (const { ids } of [expected.query, expected.document])
  for (const id of ids.flat()) used.add(id);
/** Markers and masks are at the end of a vocabulary, or in it. */
const SPECIAL = 60;

const files = {};
for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name);
  if (!statSync(path).isFile() || /^expected-|README/.test(name)) continue;
  const bytes = readFileSync(path);
  files[relative('.', name)] = name.endsWith('.safetensors') ? withoutUnused(bytes) : bytes;
}
for (const kind of ['query', 'document']) {
  const { data, shape } = readNpy(readFileSync(join(folder, `expected-${library}-${kind}.npy`)));
  const columns = Math.ceil(shape[1] / STRIDE);
  const kept = Float32Array.from(
    { length: shape[0] * columns },
    (_, i) => data[Math.floor(i / columns) * shape[1] + (i % columns) * STRIDE],
  );
  files[`expected-${kind}.npy`] = writeNpy({ shape: [shape[0], columns], data: kept });
  files[`expected-${kind}.json`] = Buffer.from(JSON.stringify(expected[kind].counts));
}
files['texts.json'] = readFileSync(texts);
const tensors = Object.fromEntries(
  Object.entries(files).map(([name, bytes]) => [
    name,
    { shape: [bytes.length], data: Uint8Array.from(bytes) },
  ]),
);
writeFileSync(`${out}.safetensors.gz`, gzipSync(writeSafetensors(tensors), { level: 9 }));

/** A safetensors file whose word embeddings are zero where no text has the word. */
function withoutUnused(bytes) {
  const copy = Buffer.from(bytes);
  const length = Number(copy.readBigUInt64LE(0));
  const header = JSON.parse(copy.toString('utf8', 8, 8 + length));
  for (const [name, { shape, data_offsets: [from, to] = [] }] of Object.entries(header)) {
    if (!EMBEDDINGS.test(name)) continue;
    const row = (to - from) / shape[0];
    for (let id = 0; id < shape[0] - SPECIAL; id++)
      if (!used.has(id))
        copy.fill(0, 8 + length + from + id * row, 8 + length + from + (id + 1) * row);
  }
  return copy;
}
