// Rows brought to length 1, and the lengths that they had; a row of zeros stays one.
struct Params {
  rows: u32,
  dim: u32,
  at: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read_write> lengths: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= p.rows) {
    return;
  }
  let start = p.at + row * p.dim;
  // values of any size: by the largest one, as squares leave float32 soon
  var largest = 0.0;
  for (var j = 0u; j < p.dim; j++) {
    largest = max(largest, abs(x[start + j]));
  }
  var square = 0.0;
  let divisor = select(1.0, largest, largest > 0.0);
  for (var j = 0u; j < p.dim; j++) {
    let value = x[start + j] / divisor;
    square += value * value;
  }
  let length = sqrt(square) * divisor;
  lengths[row] = length;
  for (var j = 0u; j < p.dim; j++) {
    out[row * p.dim + j] = x[start + j] / select(1.0, length, length > 0.0);
  }
}
