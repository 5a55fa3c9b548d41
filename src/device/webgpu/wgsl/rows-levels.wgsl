// Documents' tokens as codes of BITS bits, rotated, less a mean, with a scale for each token in
// its first two bytes: src/tokens/level-rows.ts. LEVELS has what a code stands for.
override BITS: u32 = 4;
override MEAN_AT: u32 = 0;

fn tokenValue(row: u32, k: u32) -> f32 {
  let start = p.rowsAt + row * p.rowBytes;
  let bytes = p.rowBytes - 2u;
  let scale = bitcast<f32>((byteAt(start) << 16u) | (byteAt(start + 1u) << 24u));
  let code = extractBits(byteAt(start + 2u + k % bytes), BITS * (k / bytes), BITS);
  return f32(LEVELS[code]) * scale + parameters[MEAN_AT * p.dim + k];
}
