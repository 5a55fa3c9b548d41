// Row i of out = row order[from + i] of x, where it lies in x: rows first .. first + rows, from
// value at on; (value - mean) * perUnit.
struct Params {
  width: u32,
  start: u32,
  first: u32,
  rows: u32,
  at: u32,
  mean: f32,
  perUnit: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  let row = u32(order[p.start + id.y]);
  if (j >= p.width || row < p.first || row >= p.first + p.rows) {
    return;
  }
  out[id.y * p.width + j] = (x[p.at + (row - p.first) * p.width + j] - p.mean) * p.perUnit;
}
