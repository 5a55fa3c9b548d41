// Fit and search on the GPU beside the processor, by stage: milliseconds, work, dispatches, bytes
// that cross, and the share of the card's peak where it is given.
//   npm run bench:gpu [-- --documents N] [--peak-tflops X] [--json FILE] [VECTORS ...]
// VECTORS: folders as bench/vectors.mjs reads them; then N synthetic documents (default: 20,000,
// and 60 on a GPU that is a program, with a small model). Without any, what the code would compute.
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createCpuDevice } from '../dist/device/cpu/cpu-device.js';
import { describeAdapter, openWebGpu } from '../dist/device/webgpu/open-webgpu.js';
import { Lemur, MaxSim } from '../dist/entry/node.js';
import { requestNodeGpu } from '../dist/entry/node-gpu.js';
import { nodePlatform } from '../dist/entry/node-platform.js';
import { shapeOf, stageCounts } from './gpu-counts.mjs';
import { openPool, synthesizer } from './synthetic.mjs';
import { loadVectors, machine } from './vectors.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    documents: { type: 'string' },
    'peak-tflops': { type: 'string' },
    json: { type: 'string' },
  },
});
const K = 10;
const report = { machine, adapter: null, collections: [] };

const gpu = await adapterHere();
if (gpu) await measureAll(gpu);
else printCounts();
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);

async function adapterHere() {
  try {
    const found = await requestNodeGpu();
    report.adapter = await describeAdapter(found);
    return found;
  } catch (error) {
    console.log(`no GPU: ${error.message}\n`);
    return null;
  }
}

/** The stages' counts from the shapes, of a collection as SciFact is and of a million documents. */
function printCounts() {
  for (const [name, collection] of [
    ['5,183 documents of 157 tokens (SciFact)', { documents: 5183, tokens: 813_731, dim: 128 }],
    ['1,000,000 documents of 120 tokens', { documents: 1e6, tokens: 1.2e8, dim: 128 }],
  ]) {
    const stages = stageCounts(shapeOf(collection));
    report.collections.push({ name, stages });
    console.log(
      `${name}\n| stage | on | work, GFLOP | bytes, MB | dispatches | tiles filled |` +
        '\n|---|---|---|---|---|---|',
    );
    for (const { name, on, work, bytes, dispatches, filled } of stages)
      console.log(
        `| ${name} | ${on} | ${number(work / 1e9)} | ${number(bytes / 1e6)} | ${dispatches} ` +
          `| ${number(100 * filled)} % |`,
      );
    console.log();
  }
}

async function measureAll(gpu) {
  const { adapter, software } = report.adapter;
  console.log(`${machine}\n${adapter}${software ? ', a program' : ''}\n`);
  const cpu = await createCpuDevice(nodePlatform);
  const card = await openWebGpu(gpu, cpu);
  for (const folder of positionals) {
    const { documents, queries } = loadVectors(folder);
    await measure(basename(folder), documents, queries, cpu, card, software);
  }
  const size = Number(options.documents ?? (software ? 60 : 20_000));
  const { documents, queries } = synthetic(size, software ? 10 : 100);
  await measure(`${size} synthetic documents`, documents, queries, cpu, card, software);
  await card.close();
  await cpu.close();
}

/** Ragged documents and queries of the synthesizer of bench/scale.mjs. */
function synthetic(size, asked) {
  const pool = openPool();
  const make = synthesizer(pool, 3);
  const texts = (count, of) => {
    const parts = Array.from({ length: count }, (_, i) => of(i));
    const counts = Int32Array.from(parts, ({ dims }) => dims[0]);
    const vectors = new Float32Array(parts.reduce((sum, { data }) => sum + data.length, 0));
    let at = 0;
    for (const { data } of parts) {
      vectors.set(data, at);
      at += data.length;
    }
    return { vectors, counts, dim: pool.dim };
  };
  return {
    documents: texts(size, (i) => make.document(i, 60 + (i % 121))),
    queries: texts(asked, make.query),
  };
}

/** Fit, candidates and rerank on both, with what the GPU counted for each. */
async function measure(name, documents, queries, cpu, card, software) {
  const learn = software
    ? { finalHiddenDim: 64, epochs: 2, learnSubsetSize: 512, olsSampleSize: 512 }
    : {};
  const rows = [];
  const models = new Map();
  const stage = async (what, compute) => {
    const row = { stage: what };
    for (const [label, device] of [
      ['cpu', cpu],
      ['gpu', card],
    ]) {
      const before = { ...card.counts };
      const begun = performance.now();
      await compute(device);
      row[label] = performance.now() - begun;
      if (label === 'gpu')
        for (const key of Object.keys(before)) row[key] = card.counts[key] - before[key];
    }
    rows.push(row);
  };
  await stage('fit', async (device) => {
    models.set(device, await Lemur.fit(documents, { ...learn, device, seed: 7 }));
  });
  const exact = new Map();
  await stage('documents to the device', async (device) => {
    exact.set(device, await MaxSim.create(documents, { device }));
  });
  const found = new Map();
  const numCandidates = Math.min(200, documents.counts.length);
  await stage(`candidates of ${queries.counts.length} queries`, async (device) => {
    found.set(device, await models.get(device).candidates(queries, numCandidates));
  });
  await stage('rerank of these', (device) =>
    exact.get(device).rerankSubset(queries, K, found.get(device)),
  );
  await stage('both in one call', (device) =>
    models.get(device).search(queries, K, exact.get(device), { numCandidates }),
  );
  await stage('exact', (device) => exact.get(device).search(queries, K));
  report.collections.push({ name, stages: rows });
  printTable(name, rows);
  for (const one of [...models.values(), ...exact.values()]) one.close();
}

function printTable(name, rows) {
  console.log(
    `${name}\n| stage | CPU, ms | GPU, ms | work, GFLOP | TFLOP/s | of peak | dispatches ` +
      '| to GPU, MB | back, MB |\n|---|---|---|---|---|---|---|---|---|',
  );
  const peak = Number(options['peak-tflops']);
  for (const { stage, cpu, gpu, work, dispatches, bytesWritten, bytesRead } of rows) {
    const rate = work / gpu / 1e9;
    const share = peak ? `${number((100 * rate) / peak)} %` : '';
    console.log(
      `| ${stage} | ${number(cpu)} | ${number(gpu)} | ${number(work / 1e9)} | ${number(rate)} ` +
        `| ${share} | ${dispatches} | ${number(bytesWritten / 1e6)} | ${number(bytesRead / 1e6)} |`,
    );
  }
  console.log();
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);
}
