// A process of kernels.mjs: the rate of each kernel, and, without --fast-only, its plain twin's.
// Seeded and warmed up. All kernels take turns several times, so that a slow moment of the machine
// is not one kernel's; the fastest run counts.
import { plainKernels } from '../dist/kernels/plain/plain.js';
import { relaxedBinary } from '../dist/kernels/relaxed.js';
import { compileKernels, simdKernels } from '../dist/kernels/simd.js';
import { createRandom } from '../dist/tokens/random.js';
import { A, kernelCases as allCases, B, C, D, MIB } from './kernel-cases.mjs';

const PASSES = 6;
/** Looks at the clock in a pass. */
const ROUNDS = 8;
/** Calls of a fast kernel between two looks take about so long. */
const MS = 0.5;

const isAlone = process.argv.includes('--fast-only');
const memory = new WebAssembly.Memory({ initial: 1024, maximum: 4096, shared: true });
const floats = new Float32Array(memory.buffer);
const relaxed = await relaxedBinary(true);
const module = relaxed && new WebAssembly.Module(relaxed);
const fast = simdKernels(await compileKernels(true), memory, module);
const plain = plainKernels(memory);
const random = createRandom(1);
const drawn = Float32Array.from({ length: 2 * MIB }, () => random.uniform() - 0.5);

const kernelCases = allCases.filter(([, , , , , needed]) => !needed || fast[needed]);
const times = kernelCases.map(() => ({ fast: [], plain: [] }));
for (let pass = 0; pass < PASSES; pass++) {
  for (const [i, [, , , call, prepare]] of kernelCases.entries()) {
    fill(prepare);
    const calls = { fast: () => call(fast), plain: () => call(plain) };
    if (isAlone || pass % 3 > 0) delete calls.plain;
    if (pass === 0) await warmUp(Object.values(calls));
    for (const [name, run] of Object.entries(calls)) times[i][name].push(...measure(run));
  }
}
const rows = kernelCases.map(([name, unit, work], i) => {
  const list = times[i].fast.sort((a, b) => a - b);
  const best = list[0];
  return {
    name,
    unit,
    rate: work / best / 1e6,
    spread: list[list.length >> 1] / best - 1,
    timesPlain: isAlone ? undefined : Math.min(...times[i].plain) / best,
  };
});
process.stdout.write(JSON.stringify(rows));

/** The same operands for every kernel. */
function fill(prepare) {
  floats.set(drawn, A / 4);
  floats.set(drawn, B / 4);
  floats.fill(0, C / 4, C / 4 + 2 * MIB);
  floats.fill(1, D / 4, D / 4 + 2 * MIB);
  prepare?.(memory.buffer, fast);
}

async function warmUp(functions) {
  for (const f of functions) {
    for (const began = performance.now(); performance.now() < began + 30; ) f();
  }
  // the engine's better code arrives while nothing runs
  await new Promise((resolve) => setTimeout(resolve, 30));
}

/** Milliseconds of a call, by several looks at the clock; a slow call is looked at less often. */
function measure(f) {
  const once = timeOf(f, 1);
  const rounds = once > 5 * MS ? 2 : ROUNDS;
  const repeats = Math.ceil(MS / Math.max(once, 1e-3));
  return Array.from({ length: rounds }, () => timeOf(f, repeats));
}

function timeOf(f, repeats) {
  const started = performance.now();
  for (let r = 0; r < repeats; r++) f();
  return (performance.now() - started) / repeats;
}
