// Differences of predictions and targets, by a factor, in place; of each block the sum of their
// squares.
const THREADS = 256u;
const EACH = 16u;

struct Params {
  values: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> predictions: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> partial: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = group.y * groups.x + group.x;
  var sum = 0.0;
  for (var i = 0u; i < EACH; i++) {
    let at = (block * EACH + i) * THREADS + thread;
    if (at < p.values) {
      let off = predictions[at] - y[at];
      sum += off * off;
      predictions[at] = off * p.factor;
    }
  }
  partial[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      partial[thread] += partial[thread + half];
    }
    workgroupBarrier();
  }
  if (thread == 0u && block * EACH * THREADS < p.values) {
    out[block] = partial[0];
  }
}
