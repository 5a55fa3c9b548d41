// out[lane, entry] = the largest inner product of a lane with a token of a document, over the
// entry's divisor. A workgroup takes one document and 32 lanes; a thread 4 lanes x 4 tokens. LANE,
// ROW and the products of a tile are of the file before.
const TILE = 32u;
const SIDE = 8u;
const LEAST = -3.4028234e38;

struct Params {
  dim: u32,
  lanes: u32,
  laneAt: u32,
  // Documents that lie in rows: first .. first + documents, their rows from number base on.
  first: u32,
  documents: u32,
  base: u32,
  // Where row number base begins: a value of float32 rows, a byte of others.
  rowsAt: u32,
  rowBytes: u32,
  // Number of the first entry of this dispatch; 1: chosen has their documents, else they are
  // documents.
  entryAt: u32,
  selects: u32,
  divides: u32,
  outAt: u32,
  outRow: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> lanes: array<LANE>;
@group(0) @binding(2) var<storage, read> rows: array<ROW>;
@group(0) @binding(3) var<storage, read> offsets: array<i32>;
@group(0) @binding(4) var<storage, read> chosen: array<i32>;
@group(0) @binding(5) var<storage, read> scales: array<f32>;
@group(0) @binding(6) var<storage, read> parameters: array<f32>;
@group(0) @binding(7) var<storage, read> divisors: array<f32>;
@group(0) @binding(8) var<storage, read_write> out: array<f32>;

var<workgroup> found: array<vec4f, SIDE * SIDE>;

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let entry = p.entryAt + group.x;
  var number = i32(entry);
  if (p.selects == 1u) {
    number = chosen[entry];
  }
  if (number < i32(p.first) || number >= i32(p.first + p.documents)) {
    return;
  }
  let document = u32(number);
  let begin = u32(offsets[document]) - p.base;
  let end = u32(offsets[document + 1]) - p.base;
  let lane0 = group.y * TILE;
  let thread = local.y * SIDE + local.x;
  var best = vec4f(LEAST);
  for (var token0 = begin; token0 < end; token0 += TILE) {
    let sum = tileProducts(lane0, token0, end, local);
    for (var t = 0u; t < 4u; t++) {
      if (token0 + 4u * local.x + t < end) {
        best = max(best, sum[t]);
      }
    }
  }
  found[thread] = best;
  workgroupBarrier();
  if (local.x > 0u) {
    return;
  }
  for (var i = 1u; i < SIDE; i++) {
    best = max(best, found[thread + i]);
  }
  let divisor = select(1.0, divisors[entry], p.divides == 1u);
  for (var i = 0u; i < 4u; i++) {
    let lane = lane0 + 4u * local.y + i;
    if (lane < p.lanes) {
      out[p.outAt + lane * p.outRow + entry] = productValue(best[i], lane, document) / divisor;
    }
  }
}
