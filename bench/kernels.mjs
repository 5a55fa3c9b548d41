// Each kernel as the library runs it, and merged to 256 bits as the command line runs it where V8
// can, beside its plain twin and the peak of one core in native code (where there is a C compiler,
// cc); then the device over its threads, and what one dispatch costs:
//   node bench/kernels.mjs [--json FILE]
// A kernel's rate is that of its fastest run, the spread how much longer the middle run took; rates
// of devices are medians. Products count the arithmetic of the formula (a multiplication and an
// addition are two), other kernels count values.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { whyUnmerged } from '../dist/cli/merging-choice.js';
import { MERGING_FLAG } from '../dist/cli/merging-flag.js';
import { createCpuDevice } from '../dist/device/cpu/cpu-device.js';
import { uploadTokens } from '../dist/device/device-tokens.js';
import { mlpLayout } from '../dist/device/feature-layout.js';
import { nodePlatform } from '../dist/entry/node-platform.js';
import { createRandom } from '../dist/tokens/random.js';
import { rowOffsets } from '../dist/tokens/token-sets.js';
import { nativePeak, peakOf } from './native-peak.mjs';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const ROUNDS = 15;
const random = createRandom(1);

const why = whyUnmerged({
  v8: process.versions.v8,
  arch: process.arch,
  isNode: true,
  knowsKernels: true,
});
const peaks = nativePeak();
const rates = kernelRates();
const merged = why === undefined ? kernelRates(MERGING_FLAG) : undefined;
const rows = rates.map((row, i) => {
  const peak = peakOf(peaks, row.unit);
  return { ...row, merged: merged?.[i].rate, peak };
});

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
  merging: why ?? MERGING_FLAG,
  peaks,
  kernels: rows,
  devices: threads,
};
console.log(`${report.machine}, ${report.threads} threads, Node ${report.node}, ${report.commit}`);
console.log(peaks ? 'Peaks of one core, native, G/s:' : 'No peaks: cc compiles nothing here.');
if (peaks) console.table(peaks);
console.log(`Merging: ${report.merging}`);
console.table(
  Object.fromEntries(
    rows.map((row) => [
      row.name,
      {
        'G/s': round(row.rate),
        ...(merged && { merged: round(row.merged) }),
        ...(peaks && { 'of peak %': share(row.rate, row.peak) }),
        ...(peaks && merged && { 'merged %': share(row.merged, row.peak) }),
        'times plain': round(row.timesPlain),
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

/** Rates of all kernels, from a process of their own. */
function kernelRates(flag) {
  const script = fileURLToPath(new URL('kernel-rates.mjs', import.meta.url));
  const args = flag ? [flag, script, '--fast-only'] : [script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function share(rate, peak) {
  return peak ? Math.round((100 * rate) / peak) : '';
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
  const maxSim = await timeAsync(() => device.maxSim(queries, documents, out), 5);

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
    train[products] = await timeAsync(() => training.steps([step]));
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
