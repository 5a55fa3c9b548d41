import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { ConformanceLine } from './gpu-conformance.mjs';
import { CHROMIUM, hasSoftwareGpu, SOFTWARE_GPU } from './software-gpu.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.mjs': 'text/javascript' };
/** Runs a script on the software GPU; Dawn has the process for itself. */
async function onSoftwareGpu(script: string): Promise<string> {
  const options = { cwd: root, env: SOFTWARE_GPU };
  return (await run(process.execPath, [script], options)).stdout;
}

/** A line of gpu-faults-node.mjs. */
interface Fault {
  fault: string;
  outcome: string;
  again?: string;
  closed?: boolean;
  same?: boolean;
}

/** All of them, so that one that fails does not hide another. */
function expectWithin(lines: readonly ConformanceLine[], least: number): void {
  expect(lines.length).toBeGreaterThanOrEqual(least);
  const off = lines.filter(({ error, tolerance }) => !(error <= tolerance));
  expect(off).toEqual([]);
}

describe.skipIf(!hasSoftwareGpu)('WebGPU on a software device', { timeout: 600_000 }, () => {
  test('it computes what the processor does in Node, wherever tensors lie', async () => {
    const script = 'test/device/gpu-conformance-node.mjs';
    expectWithin(JSON.parse(await onSoftwareGpu(script)), 49);
  });

  test('it computes what the processor does in Chromium', async () => {
    const server = createServer(async (request, response) => {
      const path = normalize(new URL(request.url ?? '', 'http://localhost').pathname);
      const type = TYPES[extname(path)] ?? 'text/html';
      const body = await readFile(join(root, path)).catch(() => '<!doctype html>');
      response.setHeader('content-type', type).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const args = [
      ...['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
      ...['--disable-quic', '--disable-background-networking', '--disable-component-update'],
    ];
    const browser = await chromium.launch({ executablePath: CHROMIUM, args });
    try {
      const page = await browser.newPage();
      // a page that is not looked at goes on computing
      await (await browser.newPage()).bringToFront();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const lines = await page.evaluate(`(async () => {
        await import('/dist/entry/browser.js');
        const { conformance } = await import('/test/device/gpu-conformance.mjs');
        return conformance(navigator.gpu, ['whole']);
      })()`);
      expectWithin(lines as ConformanceLine[], 33);
    } finally {
      await browser.close();
      server.close();
    }
  });

  test('what fails is an error of its own, and the processor goes on', async () => {
    const output = await onSoftwareGpu('test/device/gpu-faults-node.mjs');
    const lines: Fault[] = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = (fault: string): Fault[] => lines.filter((line) => line.fault === fault);
    expect(of('no adapter')).toMatchObject([{ outcome: 'unsupported' }]);
    expect(of('a software adapter, auto')).toMatchObject([{ outcome: 'cpu' }]);
    expect(of('none')).toMatchObject([{ outcome: 'done', same: true }]);
    // in each stage of a fit and a search
    const lost = of('lost');
    expect(lost.length).toBe(4);
    for (const line of lost)
      expect(line).toMatchObject({ outcome: 'device-lost', again: 'device-lost', closed: true });
    expect(of('after a loss, on the processor')).toMatchObject([{ outcome: 'done' }]);
    expect(of('no room')).toMatchObject([{ outcome: 'done', same: true }]);
    expect(of('closed')).toMatchObject([{ outcome: 'closed' }]);
  });
});
