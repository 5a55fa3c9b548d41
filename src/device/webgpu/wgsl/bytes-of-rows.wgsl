// Documents' tokens as bytes, four a word.
alias ROW = u32;

fn byteAt(at: u32) -> u32 {
  return extractBits(rows[at / 4u], 8u * (at % 4u), 8u);
}
