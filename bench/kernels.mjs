// Each kernel against its plain twin, the device over its threads, and what one dispatch costs:
//   node bench/kernels.mjs [--json FILE]
// Seeded, warmed up, interleaved; medians of single runs and the spread (median absolute deviation)
// as a share of them. Rates count the arithmetic of the formula (a multiplication and an addition
// are two), elementwise kernels count values.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { createCpuDevice } from '../dist/device/cpu/cpu-device.js';
import { uploadTokens } from '../dist/device/device-tokens.js';
import { mlpLayout } from '../dist/device/feature-layout.js';
import { nodePlatform } from '../dist/entry/node-platform.js';
import { plainKernels } from '../dist/kernels/plain/plain.js';
import { compileKernels, simdKernels } from '../dist/kernels/simd.js';
import { createRandom } from '../dist/tokens/random.js';
import { rowOffsets } from '../dist/tokens/token-sets.js';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const ROUNDS = 15;
const MIB = 1 << 20;

const memory = new WebAssembly.Memory({ initial: 1024, maximum: 4096 });
const random = createRandom(1);
const floats = new Float32Array(memory.buffer);
const numbers = (from, count) => {
  for (let i = from / 4; i < from / 4 + count; i++) floats[i] = random.uniform() - 0.5;
};
const simd = simdKernels(await compileKernels(false), memory);
const plain = plainKernels(memory);

// addresses of four operands, a megabyte of slack between them
const [A, B, C, D] = [1, 9, 17, 25].map((at) => at * MIB);
const counts = (documents, tokens) => new Int32Array(memory.buffer, D, documents).fill(tokens);

const kernels = [
  [
    'MaxSim float32, 32 x 128 query tokens, 8 x 100 tokens',
    2 * 32 * 800 * 128,
    (k) => k.maxDotsF32(A, 32, 128, B, D, 8, C, 8, 0),
    () => counts(8, 100),
  ],
  [
    'MaxSim int8, the same',
    2 * 32 * 800 * 128,
    (k) => k.maxDotsI16(A, 32, 128, B, D, 8, C, 8, 0),
    () => counts(8, 100),
  ],
  [
    'matrix product 64 x 128 x 512',
    2 * 64 * 128 * 512,
    (k) => k.gemmF32(64, 512, 128, A, 128, 1, B, 1, 128, C, 512, 0, D),
  ],
  [
    'matrix product 64 x 1024 x 128',
    2 * 64 * 1024 * 128,
    (k) => k.gemmF32(64, 128, 1024, A, 1024, 1, B, 128, 1, C, 128, 0, D),
  ],
  [
    'product of codes 64 x 1024 x 128',
    2 * 64 * 1024 * 128,
    (k) => k.gemmI16(64, 128, 1024, A, B, B, B, C, 128),
  ],
  [
    'Gram matrix float64 64 x 64 x 256',
    2 * 64 * 64 * 256,
    (k) => k.outerF64(64, 64, 256, A, 64, B, 64, C, 64, D),
  ],
  ['float32 scan, 256 rows x 1024', 2 * 256 * 1024, (k) => k.scanF32(A, B, 256, 1024, C)],
  ['int8 scan, 4096 rows x 256', 2 * 4096 * 256, (k) => k.scanI8(A, B, 4096, 256, C)],
  ['gelu', 65536, (k) => k.activation(0, A, 65536, C, 0)],
  ['gelu and its slope', 65536, (k) => k.activation(0, A, 65536, C, D)],
  ['LayerNorm, 64 x 1024', 65536, (k) => k.layerNorm(A, 64, 1024, 1e-5, B, B, C, D, C)],
  ['Adam', 65536, (k) => k.adam(A, B, C, D, 65536, 1, 1e-9, 0.9, 0.999, 1, 1e-8)],
];

const rows = [];
for (const [name, work, run, prepare] of kernels) {
  numbers(A, 2 * MIB);
  numbers(B, 2 * MIB);
  floats.fill(0, C / 4, C / 4 + 2 * MIB);
  floats.fill(1, D / 4, D / 4 + 2 * MIB);
  prepare?.();
  const [fast, slow] = measure([() => run(simd), () => run(plain)]);
  rows.push({
    name,
    rate: work / fast.median / 1e6,
    plainRate: work / slow.median / 1e6,
    ratio: slow.median / fast.median,
    spread: fast.spread,
  });
}

const threads = [];
for (const count of [...new Set([1, 2, availableParallelism()])].filter(
  (n) => n <= availableParallelism(),
))
  threads.push(await overThreads(count));

const report = {
  machine: cpus()[0].model,
  threads: availableParallelism(),
  node: process.version,
  commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') ? ' (changed)' : ''),
  kernels: rows,
  devices: threads,
};
console.log(`${report.machine}, ${report.threads} threads, Node ${report.node}, ${report.commit}`);
console.table(
  Object.fromEntries(
    rows.map((row) => [
      row.name,
      {
        'G/s': round(row.rate),
        'plain G/s': round(row.plainRate),
        'times plain': round(row.ratio),
        'spread %': round(100 * row.spread),
      },
    ]),
  ),
);
console.table(
  Object.fromEntries(
    threads.map((row) => [
      `${row.threads} threads`,
      {
        'MaxSim G/s': round(row.maxSim),
        'times one thread': round(row.maxSim / threads[0].maxSim),
        'training step float32 G/s': round(row.train),
        'in codes G/s': round(row.trainCodes),
        'dispatch us': round(row.dispatch),
      },
    ]),
  ),
);
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);

/** Medians in ms and relative spreads of functions that take turns. */
function measure(functions) {
  const times = functions.map(() => []);
  for (const f of functions) f();
  for (let round = 0; round < ROUNDS; round++) {
    functions.forEach((f, i) => {
      const repeats = i === 0 ? 20 : 1;
      const started = performance.now();
      for (let r = 0; r < repeats; r++) f();
      times[i].push((performance.now() - started) / repeats);
    });
  }
  return times.map(summary);
}

function summary(times) {
  const median = middle(times);
  return { median, spread: middle(times.map((time) => Math.abs(time - median))) / median };
}

function middle(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1];
}

/**
 * Whole operations of the device: 64 queries of 32 tokens by MaxSim against 2,000 documents of 100
 * tokens; a training step; the smallest job.
 */
async function overThreads(count) {
  const device = await createCpuDevice(nodePlatform, count);
  const texts = (number, tokens) => {
    const vectors = Float32Array.from(
      { length: number * tokens * 128 },
      () => random.uniform() - 0.5,
    );
    const lengths = new Int32Array(number).fill(tokens);
    return uploadTokens(device, {
      vectors,
      counts: lengths,
      offsets: rowOffsets(lengths),
      dim: 128,
    });
  };
  const [queries, documents] = [await texts(64, 32), await texts(2000, 100)];
  const out = await device.allocate('f32', 64 * 2000);
  const maxSim = await timeAsync(() => device.maxSim(queries, documents, out));

  const layout = mlpLayout(128, [1024], 'gelu');
  const [batch, outputs] = [512, 512];
  const step = {
    x: await device.upload(
      'f32',
      Float32Array.from({ length: batch * 128 }, () => random.uniform() - 0.5),
    ),
    targets: await device.upload(
      'f32',
      Float32Array.from({ length: batch * outputs }, () => random.uniform() - 0.5),
    ),
    order: await device.upload(
      'i32',
      Int32Array.from({ length: batch }, (_, i) => i),
    ),
    ...{
      mean: 0,
      std: 1,
      from: 0,
      rows: batch,
      lr: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      correction1: 1,
      correction2: 1,
      eps: 1e-8,
      gradClip: 0.5,
    },
  };
  const train = {};
  for (const products of ['float32', 'int16']) {
    const training = await device.createTraining({
      layout,
      outputs,
      batchSize: batch,
      products,
    });
    await training.writeParameters(
      Float32Array.from({ length: training.parameterCount }, () => (random.uniform() - 0.5) * 0.05),
    );
    train[products] = await timeAsync(() => training.step(step));
  }

  const tiny = mlpLayout(4, [4], 'relu');
  const map = {
    layout: tiny,
    parameters: await device.upload('f32', new Float32Array(tiny.parameterCount)),
  };
  const [x, z] = [await device.upload('f32', new Float32Array(4)), await device.allocate('f32', 8)];
  const dispatch = await timeAsync(() => device.features(map, x, 1, z), 200);
  await device.close();
  return {
    threads: count,
    maxSim: (2 * 64 * 32 * 2000 * 100 * 128) / maxSim / 1e6,
    train: (batch * (4 * 128 * 1024 + 6 * 1024 * outputs)) / train.float32 / 1e6,
    trainCodes: (batch * (4 * 128 * 1024 + 6 * 1024 * outputs)) / train.int16 / 1e6,
    dispatch: 1000 * dispatch,
  };
}

async function timeAsync(run, rounds = ROUNDS) {
  const times = [];
  for (let round = -3; round < rounds; round++) {
    const started = performance.now();
    await run();
    if (round >= 0) times.push(performance.now() - started);
  }
  return middle(times);
}

function git(...args) {
  try {
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'no commit';
  }
}

function round(value) {
  return Number(value.toPrecision(3));
}
