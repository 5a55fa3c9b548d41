// out[entry] = the sum over some lanes of best[lane, entry]: MaxSim of the query that they are of.
// Entries that name no document get the least score.
const LEAST = -3.4028234e38;

struct Params {
  entries: u32,
  bestRow: u32,
  start: u32,
  to: u32,
  outAt: u32,
  // Of the first entry in chosen; 1: entries are looked up there.
  entryAt: u32,
  selects: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> best: array<f32>;
@group(0) @binding(2) var<storage, read> chosen: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let entry = id.y * groups.x * 64u + id.x;
  if (entry >= p.entries) {
    return;
  }
  var sum = 0.0;
  for (var lane = p.start; lane < p.to; lane++) {
    sum += best[lane * p.bestRow + entry];
  }
  if (p.selects == 1u) {
    sum = select(sum, LEAST, chosen[p.entryAt + entry] < 0);
  }
  out[p.outAt + entry] = sum;
}
