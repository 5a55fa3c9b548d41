import { browserPlatform } from './browser-platform.js';
import { providePlatform } from './platform.js';

providePlatform(browserPlatform);

export * from './public.js';
