// Documents' tokens as bytes, each document by a scale, and a mean: src/tokens/int8-encoding.ts.
fn tokenValue(row: u32, k: u32, document: u32) -> f32 {
  let code = extractBits(i32(byteAt(p.rowsAt + row * p.dim + k)), 0u, 8u);
  return f32(code) * scales[document] + parameters[k];
}
