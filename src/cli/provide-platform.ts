import { provideWriting } from '../collection/provided-writing.js';
import * as writing from '../collection/writing.js';
import { provideGpu } from '../device/provided-gpu.js';
import { provideEncoders } from '../encoder/provided-encoders.js';
import { nodeEncoders } from '../entry/node-encoders.js';
import { nodeGpu } from '../entry/node-gpu.js';
import { nodePlatform } from '../entry/node-platform.js';
import { providePlatform } from '../platform.js';

// as the package's entry points do; nothing else in this folder depends on them
providePlatform(nodePlatform);
provideWriting(async () => writing);
provideEncoders(nodeEncoders);
provideGpu(nodeGpu);
