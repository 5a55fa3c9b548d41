// workerd, which Cloudflare Workers run on: no workers, and WebAssembly as compiled modules alone.
// Bundled by the conditions of its own tools.
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { check, environment, folder, run } from './report.mjs';
import { EDGE } from './sources.mjs';

/** The first date on which FinalizationRegistry is there. */
const COMPATIBILITY = '2025-05-05';

export async function checkEdge(tools, esm, expected) {
  const binary = tools.binary('workerd');
  if (!binary) return;
  const home = folder('edge');
  const input = join(folder('esm', { 'edge.js': EDGE }), 'edge.js');
  const bundle = await rolldown({
    input,
    platform: 'browser',
    external: /\.wasm$/,
    resolve: { conditionNames: ['workerd', 'worker', 'browser', 'import', 'default'] },
  });
  await bundle.write({ file: join(home, 'worker.js'), format: 'esm' });
  copyFileSync(join(esm, 'node_modules/lemur/dist/kernels.wasm'), join(home, 'kernels.wasm'));
  const port = await freePort();
  folder('edge', { 'config.capnp': configuration(port) });
  const name = run(binary, ['--version'], home).stdout;

  const requests = [
    [`${name}, init with the compiled kernels, three requests at once`, ['init', 'init', 'init']],
    [
      `${name}, without init: the plain kernels`,
      ['plain'],
      /compiling WebAssembly is forbidden here, init\(\{ wasm \}\)/,
    ],
  ];
  for (const [kind, paths, warning] of requests) {
    const server = await start(binary, home, port);
    const answers = await Promise.all(paths.map((path) => server.get(path)));
    const printed = await server.stop();
    check(kind, [
      ...answers
        .filter((answer) => answer !== expected)
        .map((answer) => `got ${answer}, expected ${expected}`),
      warning && !warning.test(printed) && `expected a warning like ${warning}, got ${printed}`,
    ]);
  }
}

function configuration(port) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "lemur/kernels.wasm", wasm = embed "kernels.wasm")],
  compatibilityDate = "${COMPATIBILITY}"
);
`;
}

async function start(binary, home, port) {
  const child = spawn(binary, ['serve', 'config.capnp'], { cwd: home, env: environment });
  let printed = '';
  child.stdout.on('data', (data) => (printed += data));
  child.stderr.on('data', (data) => (printed += data));
  const exited = new Promise((resolve) => child.on('close', resolve));
  const get = (path) =>
    fetch(`http://127.0.0.1:${port}/${path}`, { signal: AbortSignal.timeout(60_000) }).then(
      (response) => response.text(),
      (error) => `${error.message}: ${error.cause?.message ?? ''} ${printed}`,
    );
  for (let i = 0; i < 100 && child.exitCode === null && (await get('ready')) !== 'ready'; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    get,
    async stop() {
      child.kill('SIGKILL');
      await exited;
      return printed;
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
