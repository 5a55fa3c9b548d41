import { cpus } from 'node:os';
import type { AdapterDescription } from '../device/adapter-description.js';
import { describeGpu } from '../device/default-device.js';
import { isLemurError } from '../errors.js';
import { relaxedModule } from '../kernels/relaxed.js';
import { knowsKernels } from '../kernels/simd.js';
import { platform } from '../platform.js';
import { mergeKernels } from './merging.js';
import type { Merging } from './merging-choice.js';
import { shown } from './print.js';

/** What would compute in this process: the output of `info --device --json`. */
export interface DeviceDescription {
  /** With its version. */
  runtime: string;
  v8: string;
  /** Its name, system and kind. */
  processor: string;
  threads: number;
  /** `plain`: no WebAssembly, or none with SIMD. */
  kernels: 'plain' | 'simd';
  /** `int8`: with relaxed SIMD documents get a first look in 7 bits. */
  products: 'int8' | 'int16';
  /** Whether the kernels' instructions of 128 bits are merged to 256, and why. */
  merging: Merging;
  /** What `--device webgpu` computes on, or why there is none. */
  gpu: AdapterDescription | string;
}

export async function describeDevice(): Promise<DeviceDescription> {
  const merging = await mergeKernels();
  return {
    runtime: runtime(),
    v8: process.versions.v8,
    processor: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${process.platform} ${process.arch}`,
    threads: platform().parallelism,
    kernels: (await knowsKernels()) ? 'simd' : 'plain',
    products: (await relaxedModule(platform().sharedMemory)) ? 'int8' : 'int16',
    merging,
    gpu: await describeGpu().catch(reasonOf),
  };
}

/** Why there is no GPU; what nobody expected is raised. */
function reasonOf(error: unknown): string {
  if (isLemurError(error)) return error.message;
  throw error;
}

function runtime(): string {
  const { bun, deno, node } = process.versions;
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`;
}

/** A description for people. */
export function formatDevice(device: DeviceDescription): string {
  const { runtime, v8, processor, threads, kernels, products, merging, gpu } = device;
  return [
    `runtime: ${shown(runtime)}, V8 ${shown(v8)}`,
    `processor: ${shown(processor)}`,
    `threads: ${threads}`,
    `kernels: ${kernels === 'simd' ? 'WebAssembly SIMD' : 'plain, many times slower'}`,
    `first look: ${products === 'int8' ? 'on' : 'off, no faster here'}`,
    `256-bit merging: ${merging.on ? 'on' : 'off'}, ${merging.why}`,
    ...(typeof gpu === 'string' ? [`GPU: none, ${shown(gpu)}`] : gpuLines(gpu)),
  ].join('\n');
}

function gpuLines({ adapter, software, features, ...limits }: AdapterDescription): string[] {
  return [
    `GPU: ${shown(adapter)}${software ? ', a program, slower than the processor' : ''}`,
    `  features: ${features.map(shown).join(', ') || 'none of those looked for'}`,
    ...Object.entries(limits).map(([name, value]) => `  ${name}: ${value}`),
  ];
}
