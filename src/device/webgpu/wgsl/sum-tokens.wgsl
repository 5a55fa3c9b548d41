// out[query, j] += the sum over the query's tokens from .. to of z[token, j], times its length.
struct Params {
  width: u32,
  query: u32,
  start: u32,
  to: u32,
  // 1: by lengths
  scales: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> lengths: array<f32>;
@group(0) @binding(3) var<storage, read> offsets: array<i32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  let query = p.query + id.y;
  if (j >= p.width) {
    return;
  }
  var sum = 0.0;
  let end = min(u32(offsets[query + 1u]), p.to);
  for (var token = max(u32(offsets[query]), p.start); token < end; token++) {
    let row = token - p.start;
    sum += z[row * p.width + j] * select(1.0, lengths[row], p.scales == 1u);
  }
  out[query * p.width + j] += sum;
}
