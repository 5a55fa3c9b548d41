// Values less the mean, by the deviation, in place.
struct Params {
  values: u32,
  mean: f32,
  perUnit: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.y * groups.x * 64u + id.x;
  if (at < p.values) {
    x[at] = (x[at] - p.mean) * p.perUnit;
  }
}
