import { nodePlatform } from './node-platform.js';
import { providePlatform } from './platform.js';

providePlatform(nodePlatform);

export { readBeir } from './formats/node-beir.js';
export { readNpy, writeNpy } from './formats/npy.js';
export * from './public.js';
export { folderStorage } from './storage/node-folder.js';
