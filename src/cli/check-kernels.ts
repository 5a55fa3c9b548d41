// A process of its own, which `merging.ts` starts with flags by which the engine compiles to its
// best code at once: names the kernels that are wrong when merged to 256 bits.
import { setFlagsFromString } from 'node:v8';
import { wrongKernelsAfter } from '../kernels/check/merged-kernels.js';
import { MERGING_FLAG } from './merging-flag.js';

const wrong = await wrongKernelsAfter(() => setFlagsFromString(MERGING_FLAG));
process.stdout.write(wrong.join(', '));
