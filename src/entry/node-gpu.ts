import type { GpuSource } from '../device/provided-gpu.js';
import { LemurError } from '../errors.js';

/** Not written in the import itself, so that bundlers leave it alone. */
const PACKAGE: string = 'webgpu';

/** Dawn lives as long as this is referenced. */
let dawn: object | undefined;

/**
 * What `navigator.gpu` is: the runtime's own (Deno), or that of the package `webgpu`. Rejects with
 * 'missing-package'.
 */
export async function requestNodeGpu(): Promise<object> {
  const { navigator } = globalThis as { navigator?: { gpu?: object } };
  if (navigator?.gpu) return navigator.gpu;
  dawn ??= await openDawn();
  return dawn;
}

async function openDawn(): Promise<object> {
  try {
    const { create } = (await import(PACKAGE)) as { create(options: string[]): object };
    return create([]);
  } catch (cause) {
    const message =
      "device: 'webgpu' needs the package webgpu here (npm install webgpu), " +
      `which did not load: ${(cause as Error).message.split('\n')[0]}`;
    const fields = { where: 'device', package: PACKAGE };
    throw new LemurError('missing-package', message, fields, { cause });
  }
}

/** The GPU of Node, Deno and Bun. */
export const nodeGpu: GpuSource = {
  request: requestNodeGpu,
  load: () => import('../device/webgpu/open-webgpu.js'),
};
