import { provideMirror } from '../collection/provided-mirror.js';
import { providePlatform } from '../platform.js';
import { browserPlatform } from './browser-platform.js';

providePlatform(browserPlatform);
provideMirror(async () => (await import('../collection/mirror.js')).mirror);

export * from './public.js';
