import { provideWriting } from '../collection/provided-writing.js';
import * as writing from '../collection/writing.js';
import { provideGpu } from '../device/provided-gpu.js';
import { provideEncoders } from '../encoder/provided-encoders.js';
import { providePlatform } from '../platform.js';
import { nodeEncoders } from './node-encoders.js';
import { nodeGpu } from './node-gpu.js';
import { nodePlatform } from './node-platform.js';

providePlatform(nodePlatform);
provideWriting(async () => writing);
provideEncoders(nodeEncoders);
provideGpu(nodeGpu);

export { type NpyArray, type NpyData, readNpy, writeNpy } from '../formats/npy/npy.js';
export type { BeirDocument, BeirQuery, Qrels } from '../formats/texts/beir.js';
export { type BeirDataset, type BeirOptions, readBeir } from '../formats/texts/node-beir.js';
export { folderStorage } from '../storage/node-folder.js';
export * from './public.js';
