// Rows of weights without their length and the mean: base + (w - base) / length - mean.
const LEAST_LENGTH = 1e-5;

struct Params {
  dim: u32,
  rows: u32,
  at: u32,
  // Number of the first row.
  row: u32,
  stretches: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> negativeMean: array<f32>;
@group(0) @binding(3) var<storage, read> relative: array<f32>;
@group(0) @binding(4) var<storage, read> base: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  let row = id.y;
  if (j >= p.dim || row >= p.rows) {
    return;
  }
  var value = w[p.at + row * p.dim + j];
  if (p.stretches == 1u) {
    let length = relative[p.row + row];
    if (length < LEAST_LENGTH) {
      value = -negativeMean[j];
    } else if (length != 1.0) {
      value = base[j] + (value - base[j]) / length;
    }
  }
  out[row * p.dim + j] = value + negativeMean[j];
}
