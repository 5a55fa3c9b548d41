import { LemurError } from '../errors.js';
import type * as webgpu from './webgpu/open-webgpu.js';

/** What computes on a GPU. */
export type GpuCode = typeof webgpu;

/** What `navigator.gpu` is, and the code that uses it. */
export interface Gpu extends GpuCode {
  readonly gpu: object;
}

/** `request` gives undefined where there is no GPU, and rejects with 'missing-package'. */
export interface GpuSource {
  readonly request: () => Promise<object | undefined>;
  readonly load: () => Promise<GpuCode>;
}

let current: GpuSource | undefined;

/** Entry points say where a GPU may come from; its code is loaded when one is asked for. */
export function provideGpu(source: GpuSource): void {
  current = source;
}

/** Rejects with 'unsupported' where there is none, or 'missing-package'. */
export async function providedGpu(): Promise<Gpu> {
  const gpu = await current?.request();
  if (gpu && current) return { ...(await current.load()), gpu };
  const message = "device: there is no WebGPU here; { device: 'cpu' } works everywhere";
  throw new LemurError('unsupported', message, { where: 'device' });
}
