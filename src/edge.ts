import { edgePlatform } from './edge-platform.js';
import { providePlatform } from './platform.js';

providePlatform(edgePlatform);

export * from './public.js';
