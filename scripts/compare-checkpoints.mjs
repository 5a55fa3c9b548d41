// Compares the vectors that checkpoints give here with those that other libraries gave for the same
// texts.
//   node scripts/compare-checkpoints.mjs FOLDER... [--texts FILE] [--runtime node|web]
//     [--tolerance 1e-5] [--verbose]
// FOLDER: a checkpoint with expected-LIB-query.npy, expected-LIB-document.npy (float32, rows of all
// texts one after another) and expected-LIB.json ({ query: { counts }, document: { counts } }, rows
// of each text); LIB is any name. --texts: a JSON array of the texts (default: texts.json beside
// the first folder). Exits with 1 when counts differ, or vectors by more than the tolerance.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readNpy } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    texts: { type: 'string' },
    runtime: { type: 'string' },
    tolerance: { type: 'string', default: '1e-5' },
    verbose: { type: 'boolean', default: false },
  },
});
const tolerance = Number(values.tolerance);
let failed = false;

console.log('checkpoint, library | runtime | kind | texts with as many rows | largest difference');
for (const folder of positionals) {
  const names = readdirSync(folder);
  const libraries = names
    .map((name) => /^expected-(.+)\.json$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  const texts = JSON.parse(
    readFileSync(values.texts ?? join(dirname(folder.replace(/\/$/, '')), 'texts.json'), 'utf8'),
  );
  for (const runtime of values.runtime ? [values.runtime] : ['node', 'web']) {
    const encoder = await loadEncoder(folder, { runtime }).catch((error) => error);
    if (encoder instanceof Error) {
      failed = true;
      console.log(`${basename(folder)} | ${runtime} | ${encoder.message}`);
      continue;
    }
    for (const library of libraries) {
      for (const [kind, encode] of [
        ['query', encoder.encodeQuery],
        ['document', encoder.encodeDocument],
      ]) {
        const expected = readNpy(readFileSync(join(folder, `expected-${library}-${kind}.npy`)));
        const { counts } = JSON.parse(
          readFileSync(join(folder, `expected-${library}.json`), 'utf8'),
        )[kind];
        report(
          `${basename(folder)}, ${library} | ${runtime} | ${kind}`,
          texts,
          { counts, vectors: expected.data },
          await encode(texts),
        );
      }
    }
    await encoder.close();
  }
}
process.exit(failed ? 1 : 0);

function report(what, texts, expected, got) {
  const { dim } = got;
  let same = 0;
  let largest = 0;
  const wrong = [];
  for (let text = 0, at = 0; text < texts.length; at += expected.counts[text++] * dim) {
    if (expected.counts[text] !== got.counts[text]) {
      wrong.push(
        `${JSON.stringify(texts[text].slice(0, 40))}: ${got.counts[text]} rows, ` +
          `expected ${expected.counts[text]}`,
      );
      continue;
    }
    same++;
    const from = got.offsets[text] * dim;
    let difference = 0;
    for (let i = 0; i < got.counts[text] * dim; i++) {
      const d = Math.abs(got.vectors[from + i] - expected.vectors[at + i]);
      if (!(d <= difference)) difference = d;
    }
    if (!(difference <= tolerance))
      wrong.push(`${JSON.stringify(texts[text].slice(0, 40))}: ${difference}`);
    if (!(difference <= largest)) largest = difference;
  }
  if (wrong.length > 0) failed = true;
  console.log(
    `${what} | ${same} of ${texts.length} | ` +
      `${largest.toExponential(1)}${wrong.length > 0 ? ` | ${wrong.length} differ` : ''}`,
  );
  if (values.verbose) for (const line of wrong) console.log(`    ${line}`);
}
