import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ConformanceLine } from './gpu-conformance.mjs';
import { hasSoftwareGpu, SOFTWARE_GPU } from './software-gpu.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Of a fit and of searches. */
const STAGES = ['targets', 'train', 'gram', 'document weights', 'candidates', 'rerank'];
const VITEST = 'node_modules/vitest/vitest.mjs';
/** Runs a script on the software GPU; Dawn has the process for itself. */
async function onSoftwareGpu(script: string): Promise<string> {
  const options = { cwd: root, env: SOFTWARE_GPU };
  return (await run(process.execPath, [script], options)).stdout;
}

/** A line of gpu-faults-node.mjs. */
interface Fault {
  fault: string;
  outcome: string;
  stage?: string;
  stages?: string[];
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
  test('every device computes what the plain one does, those of the processor the same bytes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lemur-conformance-'));
    const json = join(folder, 'lines.json');
    const { stdout } = await run(process.execPath, ['scripts/conformance.mjs', '--json', json], {
      cwd: root,
    });
    const devices: Record<string, ConformanceLine[]> = JSON.parse(await readFile(json, 'utf8'));
    await rm(folder, { recursive: true });
    const { SIMD, 'WebGPU, Node': node, 'WebGPU, Chromium': page, ...others } = devices;
    expectWithin(SIMD, 34);
    // wherever tensors lie
    expectWithin(node, 54);
    expectWithin(page, 38);
    expect(Object.keys(others)).toContain('two threads');
    for (const lines of Object.values(others)) {
      expectWithin(lines, 34);
      expect(lines.filter(({ asSimd }) => !asSimd)).toEqual([]);
    }
    const [, names] = stdout.split('\n');
    for (const name of Object.keys(devices)) expect(names).toContain(` ${name} |`);
  });

  test('it gives the numbers of the Python reference, as near as the processor', async () => {
    const file = 'test/parity/parity.built.test.ts';
    const args = ['run', '--project', 'built', file, '-t', 'webgpu', '--testTimeout', '600000'];
    const env = { ...SOFTWARE_GPU, LEMUR_TEST_GPU: '1', NO_COLOR: '1' };
    const vitest = [VITEST, ...args, '--reporter', 'dot'];
    const { stdout } = await run(process.execPath, vitest, { cwd: root, env });
    expect(stdout).toMatch(/9 passed/);
  });

  test('what fails is an error of its own, and the processor goes on', async () => {
    const output = await onSoftwareGpu('test/device/gpu-faults-node.mjs');
    // Dawn tells of what goes wrong, too
    const told = output.split('\n').filter((line) => line.startsWith('{'));
    const lines: Fault[] = told.map((line) => JSON.parse(line));
    const of = (fault: string): Fault[] => lines.filter((line) => line.fault === fault);
    expect(of('no adapter')).toMatchObject([{ outcome: 'unsupported' }]);
    expect(of('a software adapter, auto')).toMatchObject([{ outcome: 'cpu' }]);
    expect(of('no device')).toMatchObject([{ outcome: 'unsupported' }]);
    const [none] = of('none');
    expect(none).toMatchObject({ outcome: 'done', same: true });
    expect(none.stages).toEqual(expect.arrayContaining(STAGES));
    expect(of('lost in a stage').map(({ stage }) => stage)).toEqual(none.stages);
    expect(of('lost').length).toBe(2);
    const beyond = [...of('out of memory'), ...of('a buffer beyond the limit')];
    expect(beyond.length).toBe(2);
    for (const line of [...of('lost in a stage'), ...of('lost'), ...beyond])
      expect(line).toMatchObject({ outcome: 'device-lost', again: 'device-lost', closed: true });
    expect(of('after a loss, on the processor')).toMatchObject([{ outcome: 'done' }]);
    expect(of('no room')).toMatchObject([{ outcome: 'done', same: true }]);
    expect(of('closed')).toMatchObject([{ outcome: 'closed' }]);
  });
});
