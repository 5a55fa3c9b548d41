// The right operand of a product as signed bytes, four a word.
alias RIGHT = u32;

fn rightValue(at: u32) -> f32 {
  return f32(extractBits(i32(right[at / 4u]), 8u * (at % 4u), 8u));
}
