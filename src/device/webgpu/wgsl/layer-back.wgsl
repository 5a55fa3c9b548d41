// The way back through activation and LayerNorm, a row a workgroup: from the gradient of a layer's
// output, in place, to that of its product. scaled becomes the gradient of the affine's output.
const THREADS = 256u;
alias Sum = vec2f;

struct Params {
  width: u32,
  activation: u32,
  gamma: u32,
  beta: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read> normal: array<f32>;
@group(0) @binding(3) var<storage, read> inverse: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> scaled: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = group.x * p.width;
  var sums = vec2f();
  for (var j = thread; j < p.width; j += THREADS) {
    let gamma = parameters[p.gamma + j];
    let value = normal[at + j];
    let own = gradient[at + j] * slope(p.activation, value * gamma + parameters[p.beta + j]);
    scaled[at + j] = own;
    sums += own * gamma * vec2f(1.0, value);
  }
  let mean = sumOfGroup(thread, sums) / f32(p.width);
  for (var j = thread; j < p.width; j += THREADS) {
    let own = scaled[at + j] * parameters[p.gamma + j];
    gradient[at + j] = inverse[group.x] * (own - mean.x - normal[at + j] * mean.y);
  }
}
