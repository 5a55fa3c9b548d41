// Gives every reader, and the command line, mutated inputs; test/fuzz says what is watched. Needs
// the build.
//   node scripts/fuzz.mjs [--inputs 100000] [--seed 1] [--from NUMBER] [--only NUMBER] [name ...]
//     --from: begin with that input (0); --only: read that input alone, as a failure names it
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createViteServer } from 'vitest/node';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
});
const number = (name, least) => {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name}: expected a whole number of at least ${least}, got ${values[name]}`);
  process.exit(2);
};
const seed = number('seed', 0);
const range =
  values.only === undefined
    ? { from: number('from', 0), inputs: number('inputs', 1) }
    : { from: number('only', 0), inputs: 1 };

// the tests' own TypeScript, which Node cannot load by itself
const server = await createViteServer({
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
const { fuzz, formatReport } = await server.ssrLoadModule('/test/fuzz/harness.ts');
const { targets } = await server.ssrLoadModule('/test/fuzz/targets.ts');
const unknown = positionals.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) {
  console.error(
    `unknown: ${unknown}; expected some of ${targets.map((target) => target.name).join(', ')}`,
  );
  process.exit(2);
}

/**
 * Ends the process when an input holds this thread for 30 seconds, which nothing on the thread
 * itself could notice.
 */
const current = new Int32Array(new SharedArrayBuffer(8));
const watch = `
  const { workerData } = require('node:worker_threads');
  let before = -1;
  setInterval(() => {
    if (workerData[0] >= 0 && workerData[0] === before) {
      require('node:fs').writeSync(2, 'input ' + before + ' does not come to an end\\n');
      process.kill(process.pid, 'SIGKILL');
    }
    before = workerData[0];
  }, 30_000);`;
new Worker(watch, { eval: true, workerData: current }).unref();

let failed = 0;
for (const target of targets.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
)) {
  const started = performance.now();
  try {
    const report = await fuzz(target, {
      seed,
      ...range,
      onInput: (input) => Atomics.store(current, 0, input),
    });
    console.log(`${formatReport(report)} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  } catch (error) {
    failed++;
    console.error(error.message);
    if (error.cause) console.error(error.cause);
  }
  Atomics.store(current, 0, -1);
}
await server.close();
process.exit(failed === 0 ? 0 : 1);
