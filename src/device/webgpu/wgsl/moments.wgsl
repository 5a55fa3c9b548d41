// Of each block of values their sum and the sum of their squares.
const THREADS = 256u;
alias Sum = vec2f;
const EACH = 16u;

struct Params {
  values: u32,
  at: u32,
  block: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2f>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = group.y * groups.x + group.x;
  var sums = vec2f();
  for (var i = 0u; i < EACH; i++) {
    let at = (block * EACH + i) * THREADS + thread;
    if (at < p.values) {
      let value = x[p.at + at];
      sums += vec2f(value, value * value);
    }
  }
  let whole = sumOfGroup(thread, sums);
  if (thread == 0u && block * EACH * THREADS < p.values) {
    out[p.block + block] = whole;
  }
}
