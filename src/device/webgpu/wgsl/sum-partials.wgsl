// out[at] = the sum of values x[j * stride + offset], times a factor; 1: its root.
const THREADS = 256u;

struct Params {
  values: u32,
  stride: u32,
  offset: u32,
  at: u32,
  root: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

var<workgroup> partial: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < p.values; i += THREADS) {
    sum += x[i * p.stride + p.offset];
  }
  partial[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      partial[thread] += partial[thread + half];
    }
    workgroupBarrier();
  }
  if (thread == 0u) {
    let value = partial[0] * p.factor;
    out[p.at] = select(value, sqrt(value), p.root == 1u);
  }
}
