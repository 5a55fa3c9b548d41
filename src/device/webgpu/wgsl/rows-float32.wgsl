// Documents' tokens as float32 vectors.
alias ROW = f32;

fn tokenValue(row: u32, k: u32) -> f32 {
  return rows[p.rowsAt + row * p.dim + k];
}
