import { providePlatform } from '../platform.js';
import { nodePlatform } from './node-platform.js';

providePlatform(nodePlatform);

export { readNpy, writeNpy } from '../formats/npy/npy.js';
export { readBeir } from '../formats/texts/node-beir.js';
export { folderStorage } from '../storage/node-folder.js';
export * from './public.js';
