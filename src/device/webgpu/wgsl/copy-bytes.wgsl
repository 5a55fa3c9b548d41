// Bytes from .. from + count of source to bytes to .. of out, which has zeros there. A thread
// writes a word of out.
struct Params {
  start: u32,
  to: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let word = p.to / 4u + id.y * groups.x * 64u + id.x;
  var bits = 0u;
  for (var i = 0u; i < 4u; i++) {
    let at = 4u * word + i;
    if (at >= p.to && at < p.to + p.count) {
      let start = p.start + at - p.to;
      bits |= extractBits(source[start / 4u], 8u * (start % 4u), 8u) << (8u * i);
    }
  }
  if (4u * word < p.to + p.count) {
    out[word] |= bits;
  }
}
