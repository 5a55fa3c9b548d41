export { activation, activationBackward } from './activation';
export { adam, addBias, scaleBoth, squaredError, standardise, sumProducts, sumRows, sumSquares } from './elementwise';
export { choleskyF64, choleskySolve16, outerF64 } from './float64';
export { gemmF32 } from './gemm';
export { layerNorm, layerNormBackward } from './layer-norm';
export { maxDotsF32, maxDotsI16 } from './max-dots';
export { packLanesF32, packLanesI16, quantizeRowsI16, widenI8 } from './pack';
export { scanF32, scanI8 } from './scan';
