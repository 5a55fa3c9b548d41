// What happens where a GPU fails, on the software device: prints one JSON line a fault, what the
// call rejected with, or what came of it.
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { resolveDevice } from '../../dist/device/default-device.js';
import { openWebGpu } from '../../dist/device/webgpu/open-webgpu.js';
import { createWebGpuDevice } from '../../dist/device/webgpu/webgpu-device.js';
import { Lemur, MaxSim } from '../../dist/entry/node.js';
import { requestNodeGpu } from '../../dist/entry/node-gpu.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';

const cpu = await createCpuDevice(nodePlatform, 1);
const gpu = await requestNodeGpu();
const tell = (line) => console.log(JSON.stringify(line));

let state = 1;
const uniform = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296 - 0.5;
};
const texts = (count) =>
  Array.from({ length: count }, () =>
    Array.from({ length: 5 }, () => Array.from({ length: 16 }, uniform)),
  );
const documents = texts(60);
const queries = texts(3);
const learn = { finalHiddenDim: 32, epochs: 2, batchSize: 64, olsSampleSize: 128, seed: 7 };

/** What a call came to: the code of its error, or `done`. */
async function outcome(call) {
  try {
    await call();
    return 'done';
  } catch (error) {
    return error.code ?? String(error);
  }
}

async function rawDevice() {
  return (await gpu.requestAdapter()).requestDevice();
}

/** A device that is lost after so many submissions. */
async function lostAfter(submissions) {
  const raw = await rawDevice();
  const { queue } = raw;
  const submit = queue.submit.bind(queue);
  let left = submissions;
  queue.submit = (buffers) => {
    submit(buffers);
    if (--left === 0) setTimeout(() => raw.destroy(), 0);
  };
  return createWebGpuDevice(raw, cpu);
}

async function fitAndSearch(device, onProgress) {
  const lemur = await Lemur.fit(documents, { ...learn, device, onProgress });
  const exact = await MaxSim.create(documents, { device });
  const candidates = await lemur.candidates(queries, 20, { onProgress });
  await exact.rerankSubset(queries, 5, candidates, { onProgress });
  await exact.search(queries, 5, { onProgress });
  const top = await lemur.search(queries, 5, exact, { numCandidates: 20, onProgress });
  return Array.from(top.indices);
}

/** A fit and searches on a device that is lost when they first tell of a stage. */
async function lostIn(wanted) {
  const raw = await rawDevice();
  const device = createWebGpuDevice(raw, cpu);
  const lose = ({ stage }) => stage === wanted && raw.destroy();
  return { device, lost: await outcome(() => fitAndSearch(device, lose)) };
}

const none = { requestAdapter: async () => null };
tell({ fault: 'no adapter', outcome: await outcome(() => openWebGpu(none, cpu)) });
const { limits } = await gpu.requestAdapter();
const refusing = {
  requestAdapter: async () => ({ limits, requestDevice: () => Promise.reject(new Error('no')) }),
};
tell({ fault: 'no device', outcome: await outcome(() => openWebGpu(refusing, cpu)) });

const chosen = await resolveDevice({ device: 'auto', threads: 1 });
tell({ fault: 'a software adapter, auto', outcome: 'counts' in chosen ? 'webgpu' : 'cpu' });

// a fit and searches, lost at the beginning of each stage and in the midst of some
const whole = createWebGpuDevice(await rawDevice(), cpu);
const stages = new Set();
const expected = await fitAndSearch(whole, ({ stage }) => stages.add(stage));
const submissions = whole.counts.submissions;
const same = await isSame(expected);
tell({ fault: 'none', outcome: 'done', submissions, stages: [...stages], same });
for (const stage of stages) {
  const { device, lost } = await lostIn(stage);
  const again = await outcome(() => MaxSim.create(documents, { device }));
  tell({ fault: 'lost in a stage', stage, outcome: lost, again, closed: device.closed });
}
for (let part = 1; part <= 2; part++) {
  const after = Math.ceil((submissions * part) / 3);
  const device = await lostAfter(after);
  const lost = await outcome(() => fitAndSearch(device));
  const again = await outcome(() => MaxSim.create(documents, { device }));
  tell({ fault: 'lost', after, outcome: lost, again, closed: device.closed });
}
tell({ fault: 'after a loss, on the processor', outcome: await outcome(() => fitAndSearch(cpu)) });

// a device without room for a buffer of more than a mebibyte
const small = await rawDevice();
const { createBuffer } = small;
const scopes = [];
small.pushErrorScope = () => scopes.push(null);
small.popErrorScope = async () => scopes.pop();
small.createBuffer = (descriptor) => {
  const isLarge = scopes.length > 0 && descriptor.size > 2 ** 20;
  if (isLarge) scopes[scopes.length - 1] = { message: 'out of memory' };
  return createBuffer.call(small, isLarge ? { ...descriptor, size: 16 } : descriptor);
};
const crowded = createWebGpuDevice(small, cpu);
const many = { vectors: Float32Array.from({ length: 20_000 * 16 }, uniform), dim: 16 };
const counts = new Int32Array(2000).fill(10);
const [ours, theirs] = await Promise.all(
  [crowded, cpu].map(async (device) =>
    (await MaxSim.create({ ...many, counts }, { device })).search(queries, 5),
  ),
);
tell({ fault: 'no room', outcome: 'done', same: String(ours.indices) === String(theirs.indices) });

// a buffer that is not asked about finds no room: the device can do no more
const noMemory = (raw) => raw.onuncapturederror({ error: { message: 'out of memory' } });
for (const [fault, size, tells] of [
  ['a buffer beyond the limit', 2 ** 50, () => {}],
  ['out of memory', 16, noMemory],
]) {
  const raw = await rawDevice();
  const create = raw.createBuffer;
  let buffers = 0;
  raw.createBuffer = (descriptor) => {
    if (++buffers !== 20) return create.call(raw, descriptor);
    tells(raw);
    return create.call(raw, { ...descriptor, size });
  };
  const device = createWebGpuDevice(raw, cpu);
  const lost = await outcome(() => fitAndSearch(device));
  const again = await outcome(() => MaxSim.create(documents, { device }));
  tell({ fault, outcome: lost, again, closed: device.closed });
}

const closed = createWebGpuDevice(await rawDevice(), cpu);
await closed.close();
tell({
  fault: 'closed',
  outcome: await outcome(() => MaxSim.create(documents, { device: closed })),
});
process.exit(0);

async function isSame(found) {
  return String(found) === String(await fitAndSearch(cpu));
}
