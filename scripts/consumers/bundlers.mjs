// Pages made by Vite (development server and build), webpack and esbuild, opened in Chromium,
// cross-origin isolated and not.
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ISOLATION, openBrowser, serveFolder, titleOf } from './pages.mjs';
import { check, project, skip } from './report.mjs';
import { PAGE, pageWithInit } from './sources.mjs';

/** Of a page's script with the whole package in it, minified. */
const MOST_PAGE_BYTES = 3.4e5;

const html = (script) => `<!doctype html><script type="module" src="${script}"></script>`;

export async function checkBundlers(tools, installed, expected) {
  const browser = await openBrowser();
  if (!browser) return skip('bundlers', 'there is no Chromium');
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
  const { tools, installed } = context;
  const vite = await tools.load(name);
  if (!vite) return;
  const files = {
    'page.js': PAGE,
    'with-init.js': pageWithInit("import kernels from 'lemur/kernels.wasm?url';", 'kernels'),
    'index.html': html('/page.js'),
    'with-init.html': html('/with-init.js'),
  };
  const root = project(`app-${name.replace(' ', '-')}`, files, installed);
  const paths = ['index.html', 'with-init.html'];
  const settings = { root, configFile: false, logLevel: 'silent' };
  for (const headers of [{}, ISOLATION]) {
    const server = await vite.createServer({
      ...settings,
      server: { host: '127.0.0.1', port: 0, headers, hmr: false },
    });
    await server.listen();
    const { port } = server.httpServer.address();
    await checkPages(
      `${tools.version(name)}, development server`,
      context,
      `http://127.0.0.1:${port}/`,
      headers,
      paths,
    );
    await server.close();
  }
  await vite.build({
    ...settings,
    build: { rollupOptions: { input: paths.map((path) => join(root, path)) } },
  });
  await checkServed(`${tools.version(name)}, build`, context, join(root, 'dist'), paths);
}

async function checkWebpack(context) {
  const { tools, installed } = context;
  const webpack = await tools.load('webpack');
  if (!webpack) return;
  const files = {
    'page.js': PAGE,
    'with-init.js': pageWithInit('', "new URL('lemur/kernels.wasm', import.meta.url)"),
  };
  const root = project('app-webpack', files, installed);
  const output = join(root, 'dist');
  const entry = { page: './page.js', 'with-init': './with-init.js' };
  const problem = await new Promise((resolve) => {
    // its hint of a page's size is no warning of the build; the size is checked below
    webpack(
      {
        mode: 'production',
        context: root,
        entry,
        output: { path: output },
        performance: { hints: false },
      },
      (error, stats) =>
        resolve(
          error ??
            (stats.hasErrors() || stats.hasWarnings() ? stats.toString('errors-warnings') : null),
        ),
    );
  });
  check(`${tools.version('webpack')} builds without configuration and without warnings`, problem);
  const bytes = problem ? 0 : statSync(join(output, 'page.js')).size;
  check(
    `${tools.version('webpack')}: a page with everything is ${Math.round(bytes / 1000)} kB, ` +
      `at most ${MOST_PAGE_BYTES / 1000}`,
    bytes > MOST_PAGE_BYTES && 'too large',
  );
  if (!problem)
    await checkServed(`${tools.version('webpack')}, build`, context, output, writePages(output));
}

/** It leaves workers behind: the inlined one has to do. */
async function checkEsbuild(context) {
  const { tools, installed } = context;
  const esbuild = await tools.load('esbuild');
  if (!esbuild) return;
  const files = {
    'page.js': PAGE,
    'with-init.js': pageWithInit("import kernels from 'lemur/kernels.wasm';", 'kernels'),
  };
  const root = project('app-esbuild', files, installed);
  const outdir = join(root, 'dist');
  const settings = {
    absWorkingDir: root,
    entryPoints: Object.keys(files),
    outdir,
    loader: { '.wasm': 'file' },
    logLevel: 'silent',
  };
  await esbuild.build({ ...settings, bundle: true, minify: true, format: 'esm' });
  await checkServed(
    `${tools.version('esbuild')}, --bundle --format=esm`,
    context,
    outdir,
    writePages(outdir),
  );
}

/** Pages around the two scripts of a build. */
function writePages(output) {
  return ['page', 'with-init'].map((name) => {
    writeFileSync(join(output, `${name}.html`), html(`/${name}.js`));
    return `${name}.html`;
  });
}

async function checkServed(name, context, output, paths) {
  for (const headers of [{}, ISOLATION]) {
    const server = await serveFolder(output, headers);
    await checkPages(name, context, server.url, headers, paths);
    await server.close();
  }
}

async function checkPages(name, { browser, expected }, base, headers, paths) {
  const wanted = headers === ISOLATION;
  for (const path of paths) {
    const { title, isolated, workers } = await titleOf(browser, base + path);
    const init = path.startsWith('with-init') ? ', init with a URL' : '';
    const kind = `${wanted ? 'isolated' : 'not isolated'}${init}`;
    check(`${name}, ${kind}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`, [
      title !== expected && `got ${title}, expected ${expected}`,
      isolated !== wanted && `crossOriginIsolated is ${isolated}`,
      workers === 0 && 'it started no worker',
    ]);
  }
}
