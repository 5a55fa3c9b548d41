// Differences of predictions and targets, by a factor, in place; of each block the sum of their
// squares.
const THREADS = 256u;
alias Sum = f32;
const EACH = 16u;

struct Params {
  values: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> predictions: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

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
  let whole = sumOfGroup(thread, sum);
  if (thread == 0u && block * EACH * THREADS < p.values) {
    out[block] = whole;
  }
}
