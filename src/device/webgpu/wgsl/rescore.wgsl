// scores[query, i] = <codes of row numbers[query, i], query> by the row's scale, and its length.
// A workgroup takes one row; those that do not lie in codes are left to another dispatch.
const THREADS = 64u;
alias Sum = f32;

struct Params {
  dim: u32,
  listed: u32,
  // Rows first .. first + rows lie in codes, from byte at on.
  first: u32,
  rows: u32,
  at: u32,
  // 1: rows have lengths
  stretches: u32,
  // Of the first workgroup, and of the first query's values.
  item: u32,
  queriesAt: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read> queries: array<f32>;
@group(0) @binding(4) var<storage, read> numbers: array<i32>;
@group(0) @binding(5) var<storage, read> relative: array<f32>;
@group(0) @binding(6) var<storage, read> shifts: array<f32>;
@group(0) @binding(7) var<storage, read_write> scores: array<f32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let at = group.y * p.listed + p.item + group.x;
  let number = numbers[at];
  if (number < i32(p.first) || number >= i32(p.first + p.rows)) {
    return;
  }
  let row = u32(number);
  let start = p.at + (row - p.first) * p.dim;
  var sum = 0.0;
  for (var j = thread; j < p.dim; j += THREADS) {
    let byte = start + j;
    let code = extractBits(i32(codes[byte / 4u]), 8u * (byte % 4u), 8u);
    sum += f32(code) * queries[p.queriesAt + group.y * p.dim + j];
  }
  let whole = sumOfGroup(thread, sum);
  if (thread == 0u) {
    var score = whole * scales[row];
    if (p.stretches == 1u) {
      score = relative[row] * (score + shifts[group.y]);
    }
    scores[at] = score;
  }
}
