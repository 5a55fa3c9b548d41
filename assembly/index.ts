export { activation } from './activation';
export {
  adam,
  addBias,
  dequantise,
  multiply,
  squaredError,
  standardise,
  sumProducts,
  sumRows,
  sumSquares,
} from './elementwise';
export { addToF64, choleskyF64, choleskySolve16, outerF64 } from './float64';
export { gemmF32 } from './gemm';
export { gemmI16 } from './gemm-int16';
export { layerNorm, layerNormBackward } from './layer-norm';
export { maxDotsF32, maxDotsI16 } from './max-dots';
export { maxDotsScaledI16 } from './max-dots-scaled';
export { nearDotsI16 } from './near-dots';
export { packLanesF32, packLanesI16, packPairsI16, packPanelsI16, widenI8 } from './pack';
export { largestAbs, quantizeColumnsI16, quantizeI8, quantizeRowsI16 } from './quantize';
export { rotateRows } from './rotate';
export { scanF32, scanI8 } from './scan';
export { unpackLevels } from './unpack-levels';
