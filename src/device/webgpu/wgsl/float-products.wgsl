// Inner products of float32 lanes with tokens that `tokenValue` reads.
alias LANE = f32;
const STEP = 16u;

var<workgroup> a: array<f32, STEP * TILE>;
var<workgroup> b: array<f32, STEP * TILE>;

fn tileProducts(lane0: u32, token0: u32, end: u32, local: vec3u) -> array<vec4f, 4> {
  // said outright: not every compiler empties it for each tile
  var sum = array<vec4f, 4>();
  for (var k0 = 0u; k0 < p.dim; k0 += STEP) {
    for (var i = local.y * SIDE + local.x; i < STEP * TILE; i += SIDE * SIDE) {
      let row = i / STEP;
      let k = k0 + i % STEP;
      var lane = 0.0;
      var token = 0.0;
      if (k < p.dim && lane0 + row < p.lanes) {
        lane = lanes[p.laneAt + (lane0 + row) * p.dim + k];
      }
      if (k < p.dim && token0 + row < end) {
        token = tokenValue(token0 + row, k);
      }
      a[(i % STEP) * TILE + row] = lane;
      b[(i % STEP) * TILE + row] = token;
    }
    workgroupBarrier();
    for (var k = 0u; k < STEP; k++) {
      let l = k * TILE + 4u * local.y;
      let r = k * TILE + 4u * local.x;
      let x = vec4f(a[l], a[l + 1u], a[l + 2u], a[l + 3u]);
      sum[0] += x * b[r];
      sum[1] += x * b[r + 1u];
      sum[2] += x * b[r + 2u];
      sum[3] += x * b[r + 3u];
    }
    workgroupBarrier();
  }
  return sum;
}

fn productValue(product: f32, _lane: u32, _document: u32) -> f32 {
  return product;
}
