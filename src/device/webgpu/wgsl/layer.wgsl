// A layer after its product, a row a workgroup, in place. Trained: bias, LayerNorm, activation;
// random features: activation, scale, LayerNorm. Training keeps what its way back needs.
const THREADS = 256u;
alias Sum = f32;

struct Params {
  width: u32,
  at: u32,
  activation: u32,
  // 1: random features
  random: u32,
  // In parameters.
  bias: u32,
  gamma: u32,
  beta: u32,
  // 1: normal and inverse are kept
  keeps: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> normal: array<f32>;
@group(0) @binding(4) var<storage, read_write> inverse: array<f32>;

fn input(at: u32, j: u32) -> f32 {
  if (p.random == 1u) {
    return activate(p.activation, x[at + j]) * p.scale;
  }
  return x[at + j] + parameters[p.bias + j];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let thread = local.x;
  let at = p.at + group.x * p.width;
  var sum = 0.0;
  for (var j = thread; j < p.width; j += THREADS) {
    sum += input(at, j);
  }
  let mean = sumOfGroup(thread, sum) / f32(p.width);
  var squares = 0.0;
  for (var j = thread; j < p.width; j += THREADS) {
    let off = input(at, j) - mean;
    squares += off * off;
  }
  let variance = sumOfGroup(thread, squares) / f32(p.width);
  let factor = 1.0 / sqrt(variance + 1e-5);
  if (p.keeps == 1u && thread == 0u) {
    inverse[group.x] = factor;
  }
  for (var j = thread; j < p.width; j += THREADS) {
    let value = (input(at, j) - mean) * factor;
    if (p.random == 1u) {
      x[at + j] = value;
    } else {
      if (p.keeps == 1u) {
        normal[at - p.at + j] = value;
      }
      x[at + j] = activate(p.activation, value * parameters[p.gamma + j] + parameters[p.beta + j]);
    }
  }
}
