// gpu-conformance.mjs in headless Chromium, whose GPU is SwiftShader.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM } from './software-gpu.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript' };
const ARGS = [
  ...['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  ...['--disable-quic', '--disable-background-networking', '--disable-component-update'],
];

/** Lines of a page's GPU. */
export async function conformanceInChromium() {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '', 'http://localhost').pathname);
    const type = TYPES[extname(path)] ?? 'text/html';
    const body = await readFile(join(root, path)).catch(() => '<!doctype html>');
    response.setHeader('content-type', type).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  try {
    const page = await browser.newPage();
    // a page that is not looked at goes on computing
    await (await browser.newPage()).bringToFront();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return await page.evaluate(`(async () => {
      await import('/dist/entry/browser.js');
      const { conformance } = await import('/test/device/gpu-conformance.mjs');
      return conformance(navigator.gpu, ['whole']);
    })()`);
  } finally {
    await browser.close();
    server.close();
  }
}
