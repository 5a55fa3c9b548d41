// Lanes as codes within -limit .. limit, of 12 bits at most, in rows of words: the codes' upper
// bits, four int8 a word; their LOW_BITS; what a code is worth; the product with the tokens' mean.
// A workgroup takes a lane.
const THREADS = 64u;
const LOW_BITS = 5u;
// 2^-110: limit / largest must be in float32
const NOTHING = 7.703719777548943e-34;
alias Sum = f32;

struct Params {
  dim: u32,
  lanes: u32,
  // Where the first lane begins.
  laneAt: u32,
  limit: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let lane = group.y * groups.x + group.x;
  if (lane >= p.lanes) {
    return;
  }
  let start = p.laneAt + lane * p.dim;
  let words = (p.dim + 3u) / 4u;
  let outAt = lane * (2u * words + 2u);
  var own = 0.0;
  var product = 0.0;
  for (var j = thread; j < p.dim; j += THREADS) {
    own = max(own, abs(x[start + j]));
    product += x[start + j] * mean[j];
  }
  let largest = largestOfGroup(thread, own);
  let shift = sumOfGroup(thread, product);
  let used = largest > NOTHING;
  let factor = select(0.0, p.limit / largest, used);
  for (var word = thread; word < words; word += THREADS) {
    var high = 0u;
    var low = 0u;
    for (var i = 0u; i < 4u; i++) {
      let j = 4u * word + i;
      if (j < p.dim) {
        let code = i32(clamp(round(x[start + j] * factor), -p.limit, p.limit));
        high |= (u32(code >> LOW_BITS) & 255u) << (8u * i);
        low |= (u32(code) & ((1u << LOW_BITS) - 1u)) << (8u * i);
      }
    }
    out[outAt + word] = high;
    out[outAt + words + word] = low;
  }
  if (thread == 0u) {
    out[outAt + 2u * words] = bitcast<u32>(select(0.0, largest / p.limit, used));
    out[outAt + 2u * words + 1u] = bitcast<u32>(shift);
  }
}
