// Values as bytes within -127 .. 127, four a word: by one step, or by each row's scale.
struct Params {
  values: u32,
  dim: u32,
  // 1: by scales
  scales: u32,
  perUnit: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let word = id.y * groups.x * 64u + id.x;
  if (4u * word >= p.values) {
    return;
  }
  var bits = 0u;
  for (var i = 0u; i < 4u; i++) {
    let at = 4u * word + i;
    if (at < p.values) {
      var factor = p.perUnit;
      if (p.scales == 1u) {
        let scale = scales[at / p.dim];
        factor = select(0.0, 1.0 / scale, scale > 0.0);
      }
      let code = i32(clamp(round(x[at] * factor), -127.0, 127.0));
      bits |= (u32(code) & 255u) << (8u * i);
    }
  }
  out[word] = bits;
}
