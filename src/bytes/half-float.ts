/**
 * IEEE half precision (sign 1, exponent 5 with bias 15, fraction 10 bits) as float32, exactly; NaNs
 * keep their bits. Always a new array.
 */
export function halfToFloat(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) bits[i] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent !== 0) bits[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else out[i] = (sign === 0 ? 1 : -1) * fraction * 2 ** -24; // zero or subnormal
  }
  return out;
}
