// Prints the lines of gpu-conformance.mjs for Node's WebGPU, as JSON.
import '../../dist/entry/node.js';
import { requestNodeGpu } from '../../dist/entry/node-gpu.js';
import { conformance } from './gpu-conformance.mjs';

const tell = ({ place, name, error, tolerance, ms }) =>
  console.error(`${error <= tolerance ? 'ok' : 'OFF'}: ${place}: ${name}: ${error}, ${ms} ms`);
console.log(JSON.stringify(await conformance(await requestNodeGpu(), undefined, tell)));
