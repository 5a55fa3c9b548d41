import { LemurError } from '../../errors.js';
import type { AdapterDescription } from '../adapter-description.js';
import type { Device } from '../device.js';
import { createWebGpuDevice, type WebGpuDevice } from './webgpu-device.js';

/** Names of adapters that are programs. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;
/** Features that `lemur info` tells of. */
const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query'];
const PACKED_DOTS = 'packed_4x8_integer_dot_product';

/** A device on the best adapter. `gpu` is what `navigator.gpu` is. Rejects with 'unsupported'. */
export async function openWebGpu(gpu: object, host: Device): Promise<WebGpuDevice> {
  const adapter = await adapterOf(gpu as GPU);
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize };
  const packedDots = hasPackedDots(gpu as GPU);
  return createWebGpuDevice(await deviceOf(adapter, { requiredLimits }), host, { packedDots });
}

async function deviceOf(adapter: GPUAdapter, wanted: GPUDeviceDescriptor): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice(wanted);
  } catch (cause) {
    const message = `device: the GPU adapter gives no device: ${(cause as Error).message}`;
    throw new LemurError('unsupported', message, { where: 'device' }, { cause });
  }
}

/** What `openWebGpu` would compute on. Rejects with 'unsupported'. */
export async function describeAdapter(gpu: object): Promise<AdapterDescription> {
  const adapter = await adapterOf(gpu as GPU);
  const { info, limits, features } = adapter;
  const { vendor, architecture, device, description } = info;
  return {
    adapter: [vendor, architecture, device, description].filter(Boolean).join(' '),
    software: isSoftware(info),
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    features: [
      ...FEATURES.filter((name) => features.has(name)),
      ...(hasPackedDots(gpu as GPU) ? [PACKED_DOTS] : []),
    ],
  };
}

/** Whether the adapter is a program of the processor, which `auto` never takes. */
export async function hasSoftwareAdapter(gpu: object): Promise<boolean> {
  return isSoftware((await adapterOf(gpu as GPU)).info);
}

/** A feature of the language, which a device need not be asked for; older runtimes tell of none. */
function hasPackedDots({ wgslLanguageFeatures }: GPU): boolean {
  return wgslLanguageFeatures?.has(PACKED_DOTS) ?? false;
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
