// out[at] = the sum of values x[j * stride + offset], times a factor; 1: its root.
const THREADS = 256u;
alias Sum = f32;

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

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < p.values; i += THREADS) {
    sum += x[i * p.stride + p.offset];
  }
  let whole = sumOfGroup(thread, sum);
  if (thread == 0u) {
    let value = whole * p.factor;
    out[p.at] = select(value, sqrt(value), p.root == 1u);
  }
}
