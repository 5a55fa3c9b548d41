import { mirror } from '../collection/mirror.js';
import { provideMirror } from '../collection/provided-mirror.js';
import { providePlatform } from '../platform.js';
import { edgePlatform } from './edge-platform.js';

providePlatform(edgePlatform);
provideMirror(async () => mirror);

export * from './public.js';
