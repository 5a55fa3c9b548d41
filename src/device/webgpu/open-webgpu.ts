import { LemurError } from '../../errors.js';
import type { Device } from '../device.js';
import { createWebGpuDevice, type WebGpuDevice } from './webgpu-device.js';

/** An adapter, for people. */
export interface AdapterDescription {
  /** What it calls itself: vendor, architecture, device, description. */
  adapter: string;
  /** Computes on the processor, many times slower than the package's own kernels. */
  software: boolean;
  /** Bytes of a buffer that a shader sees. */
  maxStorageBufferBindingSize: number;
  maxBufferSize: number;
  maxComputeWorkgroupStorageSize: number;
  maxComputeInvocationsPerWorkgroup: number;
  /** What it has of what would serve here; none of it is needed. */
  features: string[];
}

/** Names of adapters that are programs. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;
/** Features that `lemur info` tells of. */
const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query'];
const LANGUAGE_FEATURES = ['packed_4x8_integer_dot_product'];

/** A device on the best adapter. `gpu` is what `navigator.gpu` is. Rejects with 'unsupported'. */
export async function openWebGpu(gpu: object, host: Device): Promise<WebGpuDevice> {
  const adapter = await adapterOf(gpu as GPU);
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize };
  return createWebGpuDevice(await adapter.requestDevice({ requiredLimits }), host);
}

/** What `openWebGpu` would compute on. Rejects with 'unsupported'. */
export async function describeAdapter(gpu: object): Promise<AdapterDescription> {
  const adapter = await adapterOf(gpu as GPU);
  const { info, limits, features } = adapter;
  const { vendor, architecture, device, description } = info;
  const known = (gpu as GPU).wgslLanguageFeatures;
  return {
    adapter: [vendor, architecture, device, description].filter(Boolean).join(' '),
    software: isSoftware(info),
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    features: [
      ...FEATURES.filter((name) => features.has(name)),
      ...LANGUAGE_FEATURES.filter((name) => known.has(name)),
    ],
  };
}

/** Whether the adapter is a program of the processor, which `auto` never takes. */
export async function hasSoftwareAdapter(gpu: object): Promise<boolean> {
  return isSoftware((await adapterOf(gpu as GPU)).info);
}

async function adapterOf(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return adapter;
  const message =
    'device: no GPU adapter was found here (no card, no driver, or one that this WebGPU ' +
    "refuses); { device: 'cpu' } works everywhere";
  throw new LemurError('unsupported', message, { where: 'device' });
}

function isSoftware({
  isFallbackAdapter,
  vendor,
  architecture,
  device,
  description,
}: GPUAdapterInfo): boolean {
  return isFallbackAdapter || SOFTWARE.test([vendor, architecture, device, description].join(' '));
}
