// Pages in Chromium, from servers on loopback.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const TYPES = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.html': 'text/html',
  '.wasm': 'application/wasm',
};

/** What makes a page cross-origin isolated. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** WebGPU computed by the processor, where there is no other. */
export const SOFTWARE_WEBGPU = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
];

/** Null where there is no Chromium. */
export async function openBrowser(graphics = ['--disable-gpu']) {
  if (!existsSync(executablePath)) return null;
  const args = [
    '--no-sandbox',
    '--disable-quic',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return chromium.launch({ executablePath, args: [...args, ...graphics] });
}

/**
 * The title that a page gives itself, in the order of the pages' names in `paths`; whether it is
 * isolated; how many workers it started.
 */
export async function titleOf(browser, url) {
  const page = await browser.newPage();
  const errors = [];
  let workers = 0;
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('worker', () => workers++);
  try {
    await page.goto(url);
    await page.waitForFunction('document.title', null, { timeout: 30_000 });
    return {
      title: await page.title(),
      isolated: await page.evaluate('crossOriginIsolated'),
      workers,
    };
  } catch (error) {
    return { title: [error.message, ...errors].join('; '), isolated: null, workers };
  } finally {
    await page.close();
  }
}

/** A server of a folder's files; `headers` for all of them. */
export async function serveFolder(folder, headers) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    try {
      const body = await readFile(join(folder, path));
      response
        .writeHead(200, {
          ...headers,
          'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
        })
        .end(body);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
