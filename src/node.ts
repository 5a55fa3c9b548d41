import { nodePlatform } from './node-platform.js';
import { providePlatform } from './platform.js';

providePlatform(nodePlatform);

export { readNpy, writeNpy } from './formats/npy.js';
export { readBeir } from './formats/node-beir.js';
export * from './public.js';
export { folderStorage } from './storage/node-folder.js';
