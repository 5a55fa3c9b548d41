// Gradients of a layer's bias, gamma and beta: sums over the rows.
struct Params {
  rows: u32,
  width: u32,
  bias: u32,
  gamma: u32,
  beta: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> scaled: array<f32>;
@group(0) @binding(3) var<storage, read> normal: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  if (j >= p.width) {
    return;
  }
  var sums = vec3f();
  for (var row = 0u; row < p.rows; row++) {
    let at = row * p.width + j;
    sums += vec3f(gradient[at], scaled[at] * normal[at], scaled[at]);
  }
  out[p.bias + j] = sums.x;
  out[p.gamma + j] = sums.y;
  out[p.beta + j] = sums.z;
}
