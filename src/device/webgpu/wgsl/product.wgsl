// out[i, j] = sum over k of left[i, k] * right[j, k], each operand read by strides of its own, so
// that it may be transposed. A workgroup makes a tile of 4 TY x 4 TX; a thread 4 x 4 of it.
override TX: u32 = 16;
override TY: u32 = 16;

const STEP = 16u;
// Products that are added up before they go to the sum of all, which keeps long sums exact.
const CHUNK = 256u;

struct Params {
  rows: u32,
  columns: u32,
  depth: u32,
  leftAt: u32,
  leftRow: u32,
  leftStep: u32,
  rightAt: u32,
  rightRow: u32,
  rightStep: u32,
  outAt: u32,
  outRow: u32,
  // 1: is added to what out has
  adds: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<RIGHT>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> a: array<f32, STEP * 4 * TY>;
var<workgroup> b: array<f32, STEP * 4 * TX>;

@compute @workgroup_size(TX, TY)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let height = 4u * TY;
  let width = 4u * TX;
  let row0 = group.y * height;
  let column0 = group.x * width;
  let thread = local.y * TX + local.x;
  let threads = TX * TY;
  var total: array<vec4f, 4>;
  var sum: array<vec4f, 4>;
  for (var k0 = 0u; k0 < p.depth; k0 += STEP) {
    for (var i = thread; i < STEP * height; i += threads) {
      // neighbours read neighbours: along k, or along the rows where these lie side by side
      let along = p.leftStep == 1u;
      let row = select(i % height, i / STEP, along);
      let k = select(i / height, i % STEP, along);
      var value = 0.0;
      if (row0 + row < p.rows && k0 + k < p.depth) {
        value = left[p.leftAt + (row0 + row) * p.leftRow + (k0 + k) * p.leftStep];
      }
      a[k * height + row] = value;
    }
    for (var i = thread; i < STEP * width; i += threads) {
      let along = p.rightStep == 1u;
      let column = select(i % width, i / STEP, along);
      let k = select(i / width, i % STEP, along);
      var value = 0.0;
      if (column0 + column < p.columns && k0 + k < p.depth) {
        value = rightValue(p.rightAt + (column0 + column) * p.rightRow + (k0 + k) * p.rightStep);
      }
      b[k * width + column] = value;
    }
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let l = k * height + 4u * local.y;
      let r = k * width + 4u * local.x;
      let y = vec4f(b[r], b[r + 1u], b[r + 2u], b[r + 3u]);
      sum[0] += a[l] * y;
      sum[1] += a[l + 1u] * y;
      sum[2] += a[l + 2u] * y;
      sum[3] += a[l + 3u] * y;
    }
    workgroupBarrier();
    if ((k0 + STEP) % CHUNK == 0u || k0 + STEP >= p.depth) {
      for (var i = 0u; i < 4u; i++) {
        total[i] += sum[i];
        sum[i] = vec4f();
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    let row = row0 + 4u * local.y + i;
    for (var j = 0u; j < 4u; j++) {
      let column = column0 + 4u * local.x + j;
      if (row < p.rows && column < p.columns) {
        let at = p.outAt + row * p.outRow + column;
        out[at] = total[i][j] + select(0.0, out[at], p.adds == 1u);
      }
    }
  }
}
