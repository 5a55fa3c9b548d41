// What the first stage costs in recall: prefixes of 64 to 512 bytes, alone and rescored by full
// codes, beside the scan of all weights in float32:
//   node bench/first-stage.mjs VECTORS [--latent 1024] [--epochs 10] [--json FILE]
// Recall of the exact top 10 among k' = 100, 200, 400 candidates. VECTORS: see bench/vectors.mjs.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createCpuDevice } from '../dist/device/cpu/cpu-device.js';
import { nodePlatform } from '../dist/entry/node-platform.js';
import { defaultLearnTokens } from '../dist/learn/learn-options.js';
import { resolveLearnOptions } from '../dist/learn/resolve-learn-options.js';
import { fitCorpus } from '../dist/lemur/fit-corpus.js';
import { allowedDocuments } from '../dist/search/allowed-documents.js';
import { DeviceQueries } from '../dist/search/device-queries.js';
import { createFirstStage, firstStageTensors } from '../dist/search/prefix/first-stage.js';
import { fitPrefixMap } from '../dist/search/prefix/prefix-map.js';
import { prefixSource } from '../dist/search/prefix/prefix-source.js';
import { weightsSource } from '../dist/search/weights-source.js';
import { tokenSets } from '../dist/tokens/token-sets.js';
import { exactBest, loadVectors, machine, recallOf } from './vectors.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    latent: { type: 'string', default: '1024' },
    epochs: { type: 'string', default: '10' },
    json: { type: 'string' },
  },
});
const [folder] = positionals;
const latentDim = Number(values.latent);
const { documents, queries } = loadVectors(folder);
const exact = await exactBest(documents, queries);
const device = await createCpuDevice(nodePlatform);
const corpus = await tokenSets(documents, 'documents');
const learnSubsetSize = defaultLearnTokens(corpus.vectors.length / corpus.dim);
const options = resolveLearnOptions({
  finalHiddenDim: latentDim,
  epochs: Number(values.epochs),
  learnSubsetSize,
});
const { featureMap, solver, w } = await fitCorpus(device, corpus, corpus, null, options, {});
const count = queries.counts.length;
const asked = new DeviceQueries(device, await tokenSets(queries, 'queries'), { featureMap });
const rows = w.length / latentDim;
const allowed = allowedDocuments(rows, null);

const table = [];
await measure('all weights, float32', 4 * latentDim, (k) =>
  weightsSource(device, w, latentDim).candidates(asked, k, { allowed }),
);
for (const bytes of [64, 96, 128, 192, 256, 384, 512]) {
  const started = performance.now();
  const prefixMap = await fitPrefixMap(device, solver, w, latentDim, bytes, 0);
  const stage = await createFirstStage(device, prefixMap, w, null);
  const seconds = (performance.now() - started) / 1000;
  for (const times of [1, 2, 4, 8]) {
    const name = `${bytes} bytes${times > 1 ? `, ${times} k' rescored` : ', alone'}`;
    await measure(
      name,
      bytes,
      (k) => prefixSource(device, stage, times * k).candidates(asked, k, { allowed }),
      times === 1 ? seconds : undefined,
    );
  }
  device.free(...firstStageTensors(stage));
}
await device.close();

console.log(`${machine}\n${folder}: ${rows} documents, latent ${latentDim}, ${count} queries`);
console.table(table);
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine, folder, rows, latentDim, table }, null, 2)}\n`,
  );

async function measure(name, bytes, find, made) {
  const row = { 'first stage': name, 'bytes scanned': bytes };
  for (const k of [100, 200, 400])
    row[`k' = ${k}`] = Number(recallOf(await find(k), exact, 10).toFixed(4));
  const times = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await find(200);
    times.push((performance.now() - started) / count);
  }
  row['ms a query at 200'] = Number(times.sort((a, b) => a - b)[2].toFixed(3));
  row['made in s'] = made === undefined ? '' : Number(made.toFixed(2));
  table.push(row);
}
