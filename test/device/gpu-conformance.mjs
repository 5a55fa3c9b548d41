// What devices compute beside the plain one, the specification, for Node and pages alike: one line
// for each computation, how far it is off and how far it may be. Imports nothing but dist/.
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { plainPlatform } from '../../dist/device/cpu/plain-platform.js';
import { uploadTokens } from '../../dist/device/device-tokens.js';
import { mlpLayout, randomLayout } from '../../dist/device/feature-layout.js';
import { createWebGpuDevice } from '../../dist/device/webgpu/webgpu-device.js';
import { platform } from '../../dist/platform.js';
import { encodeTokens, learnCodec } from '../../dist/tokens/encode-tokens.js';
import { encodings } from '../../dist/tokens/encodings.js';
import { rowOffsets } from '../../dist/tokens/token-sets.js';

const DIM = 23;
const LATENT = 70;
const PREFIX = 31;
const ROWS = 300;

/** Relative errors of float32 sums in another order, and of queries that the processor rounds. */
const ROUNDED = { float32: 2e-6, int8: 2e-6, features: 1e-5, codes: 5e-4 };

let state = 1;
const uniform = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296 - 0.5;
};
const floats = (length, scale = 1) => Float32Array.from({ length }, () => 2 * scale * uniform());
function texts(counts) {
  const offsets = rowOffsets(Int32Array.from(counts));
  const vectors = floats(offsets[counts.length] * DIM);
  return { vectors, counts: Int32Array.from(counts), offsets, dim: DIM };
}

const documents = texts([1, 2, 3, 50, ...Array.from({ length: 66 }, (_, i) => 1 + ((i * 7) % 40))]);
const queries = texts([1, 5, 33, 40]);
const count = documents.counts.length;
const maps = {
  gelu: mlpLayout(DIM, [LATENT], 'gelu'),
  'two layers, silu': mlpLayout(DIM, [37, LATENT], 'silu'),
  mish: mlpLayout(DIM, [LATENT], 'mish'),
  'random, relu': randomLayout(DIM, LATENT, 'relu'),
};
const x = floats(ROWS * DIM);
const z = floats(ROWS * LATENT);
const parameters = new Map(
  Object.values(maps).map((layout) => [layout, floats(layout.parameterCount, 0.4)]),
);
const weights = {
  w: floats(600 * LATENT),
  negativeMean: floats(LATENT, 0.3),
  projection: floats(PREFIX * LATENT, 0.1),
  base: floats(LATENT, 0.2),
  relative: floats(600).map(Math.abs),
};

/** ||a - b|| / ||b||. */
function relativeError(a, b) {
  if (a.length !== b.length) return Infinity;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / (norm || 1));
}

const upload = (device, values) => device.upload('f32', values);
async function output(device, length, compute) {
  const out = await device.allocate('f32', length);
  await compute(out);
  return device.read(out);
}

/** Of a top k what both agree on: its scores; rows may differ where scores are as good as equal. */
const scoresOf = ({ scores }) => scores;

async function codesOf(device, lengths) {
  const args = {
    w: await upload(device, weights.w),
    negativeMean: await upload(device, weights.negativeMean),
    projection: await upload(device, weights.projection),
    step: 0.005,
  };
  const relative = lengths && (await upload(device, weights.relative));
  const base = lengths && (await upload(device, weights.base));
  const stretched = lengths ? { ...args, lengths: { relative, base } } : args;
  const codes = await device.encodeRows(stretched, 600, LATENT, PREFIX);
  return lengths ? { ...codes, lengths: { relative, step: 0.005 } } : codes;
}

async function trained(device, layout) {
  const training = await device.createTraining({
    ...{ layout, outputs: 40, batchSize: 100, products: 'float32' },
  });
  state = 77;
  await training.writeParameters(floats(training.parameterCount, 0.4));
  const targets = await upload(device, floats(ROWS * 40, 0.5));
  const order = await device.upload(
    'i32',
    Int32Array.from({ length: ROWS }, (_, i) => (i * 7) % ROWS),
  );
  const set = { x: await upload(device, x), targets, mean: 0.1, std: 0.3 };
  const adam = { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, gradClip: 0.5 };
  const steps = Array.from({ length: 6 }, (_, i) => ({
    ...{ ...set, ...adam, order, from: 40 * i, rows: 60 - i },
    ...{ correction1: 1 - 0.9 ** (i + 1), correction2: 1 - 0.999 ** (i + 1) },
  }));
  const loss = await training.loss({ ...set, rows: ROWS });
  const reports = await training.steps(steps);
  const flat = reports.flatMap((report) => [report.loss, report.gradientNorm]);
  const result = { losses: [loss, ...flat], gradients: await training.readGradients() };
  training.close();
  return result;
}

async function leastSquares(device) {
  const features = await upload(device, z);
  const matrix = await device.gram(features, ROWS, LATENT);
  const gram = await matrix.read();
  for (let i = 0; i < LATENT; i++) gram[i * (LATENT + 1)] += 1;
  await matrix.write(gram);
  await matrix.factorise();
  const given = { x: await upload(device, x), z: features, rows: ROWS, factor: matrix };
  const tokens = await uploadTokens(device, documents);
  const w = await output(device, count * LATENT, (out) =>
    device.documentWeights({ ...given, documents: tokens, mean: 0.4, std: 0.2, out }),
  );
  matrix.close();
  return w;
}

/** Every computation: its name, how far it may be off, and what gives its numbers. */
async function computations() {
  const cases = [];
  const add = (name, tolerance, compute) => cases.push({ name, tolerance, compute });
  for (const [name, layout] of Object.entries(maps)) {
    const of = async (device, unit) => ({
      ...{ layout, unit, parameters: await upload(device, parameters.get(layout)) },
    });
    add(`features: ${name}`, ROUNDED.features, async (device) => {
      const map = await of(device, false);
      const given = await upload(device, x);
      return output(device, ROWS * LATENT, (out) => device.features(map, given, ROWS, out));
    });
    add(`features of queries: ${name}`, ROUNDED.features, async (device) => {
      const map = await of(device, true);
      const tokens = await uploadTokens(device, queries);
      return output(device, 4 * LATENT, (out) => device.queryFeatures(map, tokens, out));
    });
  }
  for (const name of ['float32', 'int8', 'int4', 'int2']) {
    const codec = await learnCodec(name, documents, 7);
    const stored = await encodeTokens(documents, codec);
    const tolerance = ROUNDED[name] ?? ROUNDED.codes;
    add(`MaxSim: ${name}`, tolerance, async (device) => {
      const [asked, held] = [
        await uploadTokens(device, queries),
        await uploadTokens(device, stored),
      ];
      return output(device, 4 * count, (out) => device.maxSim(asked, held, out));
    });
    add(`MaxSim of candidates: ${name}`, tolerance, async (device) => {
      const [asked, held] = [
        await uploadTokens(device, queries),
        await uploadTokens(device, stored),
      ];
      const list = Int32Array.from({ length: 60 }, (_, i) => (i * 29) % count);
      const candidates = await device.upload('i32', list);
      const ends = Int32Array.of(0, 20, 20, 45, 60);
      return output(device, 60, (out) => device.maxSimSubset(asked, held, candidates, ends, out));
    });
    add(`targets: ${name}`, tolerance, async (device) => {
      const held = await uploadTokens(device, stored);
      const given = await upload(device, x);
      const select = await device.upload(
        'i32',
        Int32Array.from({ length: 30 }, (_, i) => 2 * i),
      );
      return output(device, ROWS * 30, (out) => device.targets(given, ROWS, held, select, out));
    });
  }
  const int8 = await encodeTokens(documents, await learnCodec('int8', documents, 7));
  add('MaxSim of the best 10: int8', ROUNDED.int8, async (device) => {
    const [asked, held] = [await uploadTokens(device, queries), await uploadTokens(device, int8)];
    const all = await output(device, 4 * count, (out) =>
      device.maxSim(asked, held, out, { best: 10 }),
    );
    const rows = [0, 1, 2, 3].map((q) => all.subarray(q * count, (q + 1) * count));
    return Float32Array.from(rows.flatMap((row) => [...row.sort().slice(-10)]));
  });
  // no shader knows it
  encodings.set('further', { ...encodings.get('int8'), name: 'further' });
  add('MaxSim: a further encoding', ROUNDED.codes, async (device) => {
    const [asked, held] = [await uploadTokens(device, queries), await uploadTokens(device, int8)];
    const encoding = 'counts' in device ? 'further' : 'int8';
    return output(device, 4 * count, (out) => device.maxSim(asked, { ...held, encoding }, out));
  });
  for (const lengths of [false, true]) {
    const name = lengths ? 'codes with lengths' : 'codes';
    add(`${name}: scales`, ROUNDED.float32, async (device) =>
      device.read((await codesOf(device, lengths)).scales),
    );
    for (const [rescored, k] of [
      [600, 20],
      [80, 10],
    ])
      add(`${name}: the best ${k} of ${rescored}`, ROUNDED.codes, async (device) => {
        const codes = await codesOf(device, lengths);
        state = 5;
        const full = await upload(device, floats(9 * LATENT));
        const short = await upload(device, floats(9 * PREFIX));
        const shifts = lengths ? await upload(device, floats(9)) : null;
        return scoresOf(await device.topCodes(codes, full, short, 9, rescored, k, { shifts }));
      });
  }
  add('the largest inner products', ROUNDED.float32, async (device) => {
    const [w, q] = [await upload(device, weights.w), await upload(device, x)];
    return scoresOf(await device.topInnerProducts(q, 9, w, 600, LATENT, 25));
  });
  for (const [name, layout] of [
    ['gelu', maps.gelu],
    ['two layers', maps['two layers, silu']],
  ]) {
    add(
      `training, ${name}: losses and norms`,
      1e-4,
      async (device) => (await trained(device, layout)).losses,
    );
    add(
      `training, ${name}: gradients`,
      1e-3,
      async (device) => (await trained(device, layout)).gradients,
    );
  }
  add('weights of documents', 1e-4, leastSquares);
  return cases;
}

/** Computations of every kind, which are made wherever tensors lie; the others once. */
const EVERYWHERE = new Set([
  'features of queries: gelu',
  'MaxSim: int8',
  'MaxSim of candidates: int4',
  'targets: float32',
  'codes: the best 10 of 80',
  'the largest inner products',
  'training, gelu: gradients',
  'weights of documents',
]);

/** Where tensors of the device lie: whole, in many buffers, in the host's memory. */
const PLACES = {
  whole: {},
  'buffers of 16 KiB': { mostBufferBytes: 16384 },
  'host memory': { memoryBytes: 20_000 },
};
const PACKED_DOTS = 'packed_4x8_integer_dot_product';

/** Every computation's numbers on a device; `names`: of these alone. */
export async function computed(device, names) {
  state = 1;
  const results = [];
  for (const { name, tolerance, compute } of await computations()) {
    if (names && !names.has(name)) continue;
    const begun = performance.now();
    const values = await compute(device);
    results.push({ name, tolerance, values, ms: Math.round(performance.now() - begun) });
  }
  return results;
}

/** Lines of what two devices have computed, the second of them the reference. */
export function comparedLines(place, found, expected) {
  const byName = new Map(expected.map((result) => [result.name, result]));
  return found.map(({ values, ...line }) => {
    const reference = byName.get(line.name);
    return { place, ...line, error: relativeError(values, reference.values) };
  });
}

/** The plain device's numbers. */
export async function plainResults() {
  const plain = await createCpuDevice(plainPlatform, 1);
  const results = await computed(plain);
  await plain.close();
  return results;
}

/** Lines { place, name, error, tolerance, ms } of a GPU, what `navigator.gpu` is. */
export async function conformance(gpu, places = Object.keys(PLACES)) {
  const host = await createCpuDevice(platform(), 1);
  const plain = await plainResults();
  const open = async (options) => {
    const adapter = await gpu.requestAdapter();
    return createWebGpuDevice(await adapter.requestDevice(), host, options);
  };
  const packedDots = gpu.wgslLanguageFeatures.has(PACKED_DOTS);
  const lines = [];
  let whole = [];
  for (const place of places) {
    const device = await open({ ...PLACES[place], packedDots });
    const found = await computed(device, place === 'whole' ? undefined : EVERYWHERE);
    if (place === 'whole') whole = found;
    lines.push(...comparedLines(place, found, plain));
    await device.close();
  }
  // integers: the same bytes with the processor's and the card's own products of bytes
  const names = new Set(whole.map(({ name }) => name).filter((name) => name.endsWith(': int8')));
  const device = await open({ packedDots: false });
  for (const line of comparedLines('without packed products', await computed(device, names), whole))
    lines.push({ ...line, tolerance: 0 });
  await device.close();
  await host.close();
  return lines;
}
