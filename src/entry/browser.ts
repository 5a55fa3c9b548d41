import { providePlatform } from '../platform.js';
import { browserPlatform } from './browser-platform.js';

providePlatform(browserPlatform);

export * from './public.js';
