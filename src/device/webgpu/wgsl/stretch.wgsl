// Products with prefixes become estimates of <w - base, q>: length * (step * product + shift).
struct Params {
  rows: u32,
  step: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> relative: array<f32>;
@group(0) @binding(2) var<storage, read> shifts: array<f32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.z * groups.x * 64u + id.x;
  let query = id.y;
  if (row >= p.rows) {
    return;
  }
  let at = query * p.rows + row;
  scores[at] = relative[row] * (p.step * scores[at] + shifts[query]);
}
