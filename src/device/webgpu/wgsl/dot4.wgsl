// The inner product of two words of four int8 each, where WGSL has no dot4I8Packed.
fn dot4(x: u32, y: u32) -> i32 {
  return dot(int8Of(x), int8Of(y));
}

fn int8Of(word: u32) -> vec4i {
  return (vec4i(i32(word)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u);
}
