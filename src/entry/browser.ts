import { provideWriting } from '../collection/provided-writing.js';
import { provideGpu } from '../device/provided-gpu.js';
import { providePlatform } from '../platform.js';
import { browserPlatform } from './browser-platform.js';

providePlatform(browserPlatform);
provideWriting(() => import('../collection/writing.js'));
provideGpu({
  request: async () => (globalThis.navigator as { gpu?: object } | undefined)?.gpu,
  load: () => import('../device/webgpu/open-webgpu.js'),
});

export * from './public.js';
