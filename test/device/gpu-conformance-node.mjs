// Prints the lines of gpu-conformance.mjs for Node's WebGPU, as JSON.
import '../../dist/entry/node.js';
import { requestNodeGpu } from '../../dist/entry/node-gpu.js';
import { conformance } from './gpu-conformance.mjs';

const places = process.argv.slice(2);
const lines = await conformance(await requestNodeGpu(), places.length > 0 ? places : undefined);
console.log(JSON.stringify(lines));
process.exit(0);
