// The second module: what takes relaxed SIMD instructions.
export { dotsSaturate, maxDotsU7, packLanesU7, sumTokensI8 } from './first-look';
