import { providePlatform } from '../platform.js';
import { edgePlatform } from './edge-platform.js';

providePlatform(edgePlatform);

export * from './public.js';
