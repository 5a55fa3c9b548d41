import { provideWriting } from '../collection/provided-writing.js';
import * as writing from '../collection/writing.js';
import { providePlatform } from '../platform.js';
import { edgePlatform } from './edge-platform.js';

providePlatform(edgePlatform);
provideWriting(async () => writing);

export * from './public.js';
