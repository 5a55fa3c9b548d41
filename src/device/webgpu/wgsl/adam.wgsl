// A step of Adam over the flat parameters; reports has the gradients' norm.
struct Params {
  count: u32,
  normAt: u32,
  // Largest norm of the gradient; below 0: no clipping.
  clip: f32,
  rate: f32,
  beta1: f32,
  beta2: f32,
  root: f32,
  eps: f32,
  // 1 - beta1, 1 - beta2
  rest1: f32,
  rest2: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read> reports: array<f32>;
@group(0) @binding(3) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(4) var<storage, read_write> first: array<f32>;
@group(0) @binding(5) var<storage, read_write> second: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64u + id.x;
  if (i >= p.count) {
    return;
  }
  var factor = 1.0;
  if (p.clip >= 0.0) {
    factor = min(1.0, p.clip / (reports[p.normAt] + 1e-6));
  }
  let gradient = gradients[i] * factor;
  let m = first[i] * p.beta1 + gradient * p.rest1;
  let v = second[i] * p.beta2 + gradient * gradient * p.rest2;
  first[i] = m;
  second[i] = v;
  parameters[i] -= p.rate * m / (sqrt(v) / p.root + p.eps);
}
