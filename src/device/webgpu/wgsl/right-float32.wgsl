// The right operand of a product as float32 values.
alias RIGHT = f32;

fn rightValue(at: u32) -> f32 {
  return right[at];
}
