// The conformance suite on every device beside the plain one, the specification, in one table: the
// largest relative error of what is computed, or that it is the same bytes:
//   npm run build && node scripts/conformance.mjs [--json FILE]
// WebGPU by SwiftShader, the GPU in software that comes with Debian's Chromium, where it is there.
// Ends with 1 where an error is larger than what is asked.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { createCpuDevice } from '../dist/device/cpu/cpu-device.js';
import { nodePlatform } from '../dist/entry/node-platform.js';
import { relaxedModule } from '../dist/kernels/relaxed.js';
import '../dist/entry/node.js';
import { comparedLines, computed, plainResults } from '../test/device/gpu-conformance.mjs';
import { conformanceInChromium } from '../test/device/gpu-conformance-page.mjs';
import { hasSoftwareGpu, SOFTWARE_GPU } from '../test/device/software-gpu.mjs';

const { values } = parseArgs({ options: { json: { type: 'string' } } });

/** What is asked, by the names of computations; the first that fits. */
const ASKED = [
  ['int8 without packed products, beside with', ({ place }) => place === 'without packed products'],
  ['features', ({ name }) => name.startsWith('features')],
  ['MaxSim and targets, float32', ({ name }) => /^(MaxSim|targets).*: float32/.test(name)],
  ['MaxSim and targets, int8', ({ name }) => /^(MaxSim|targets).*: int8/.test(name)],
  ['MaxSim and targets, int4, int2, decoded', ({ name }) => /^(MaxSim|targets)/.test(name)],
  ['codes, and scores by them', ({ name }) => name.startsWith('codes')],
  ['the largest inner products', ({ name }) => name === 'the largest inner products'],
  ['training: losses and norms', ({ name }) => name.endsWith('losses and norms')],
  ['training: gradients after six steps', ({ name }) => name.endsWith('gradients')],
  ['weights of documents', ({ name }) => name === 'weights of documents'],
];

const plain = await plainResults();
const devices = { ...(await processors()), ...(await cards()) };
printTable();
if (values.json) writeFileSync(values.json, `${JSON.stringify(devices, null, 2)}\n`);
const off = Object.values(devices).flatMap((lines) =>
  lines.filter(({ error, tolerance }) => !(error <= tolerance)),
);
for (const { place, name, error, tolerance } of off)
  console.error(`${place}: ${name}: off by ${error}, asked ${tolerance}`);
process.exit(off.length > 0 ? 1 : 0);

/** Lines of the processor's devices; those that are as SIMD's to the byte say so. */
async function processors() {
  const simd = await resultsOf(1, false);
  const lines = { SIMD: comparedLines('whole', simd, plain) };
  const others = { 'two threads': [2, false] };
  if (await relaxedModule(true)) others['relaxed SIMD'] = [1, true];
  for (const [name, [threads, firstLook]] of Object.entries(others)) {
    const found = await resultsOf(threads, firstLook);
    const beside = comparedLines('whole', found, simd);
    lines[name] = comparedLines('whole', found, plain).map((line, i) => {
      return { ...line, asSimd: beside[i].error === 0 };
    });
  }
  return lines;
}

async function resultsOf(threads, firstLook) {
  const device = await createCpuDevice(nodePlatform, threads, { firstLook });
  const results = await computed(device);
  await device.close();
  return results;
}

async function cards() {
  if (!hasSoftwareGpu) return {};
  const script = fileURLToPath(new URL('../test/device/gpu-conformance-node.mjs', import.meta.url));
  const options = { env: SOFTWARE_GPU, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)(process.execPath, [script], options);
  return { 'WebGPU, Node': JSON.parse(stdout), 'WebGPU, Chromium': await conformanceInChromium() };
}

function printTable() {
  const names = Object.keys(devices);
  console.log(`${cpus()[0].model}, ${availableParallelism()} threads, Node ${process.version}`);
  console.log(`| | asked | ${names.join(' | ')} |\n|---|---|${'---|'.repeat(names.length)}`);
  for (const [index, [asked]] of ASKED.entries()) {
    const rows = names.map((name) => devices[name].filter((line) => askedOf(line) === index));
    const tolerances = rows.flat().map(({ tolerance }) => tolerance);
    if (tolerances.length === 0) continue;
    console.log(`| ${asked} | ${shown(Math.max(...tolerances))} | ${rows.map(cell).join(' | ')} |`);
  }
}

function askedOf(line) {
  return ASKED.findIndex(([, fits]) => fits(line));
}

function cell(lines) {
  if (lines.length === 0) return '';
  if (lines.every(({ asSimd }) => asSimd)) return "SIMD's bytes";
  return shown(Math.max(...lines.map(({ error }) => error)));
}

function shown(error) {
  return error === 0 ? 'the same bytes' : error.toExponential(0);
}
