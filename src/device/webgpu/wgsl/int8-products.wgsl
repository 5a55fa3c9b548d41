// Inner products of lanes and of documents' tokens that both are codes: int8, four a word; what a
// lane's code of 12 bits is beyond five of them lies in words of its own. Sums are exact in int32.
alias LANE = u32;
const STEP = 16u;
const LOW_BITS = 5u;

var<workgroup> high: array<u32, STEP * TILE>;
var<workgroup> low: array<u32, STEP * TILE>;
var<workgroup> b: array<u32, STEP * TILE>;

fn laneStart(lane: u32) -> u32 {
  return p.laneAt + lane * (2u * ((p.dim + 3u) / 4u) + 2u);
}

// Rows of bytes may begin within a word; lanes have zeros for what is behind their end.
fn tokenWord(row: u32, word: u32) -> u32 {
  let at = p.rowsAt + row * p.dim + 4u * word;
  let first = rows[at / 4u];
  if (at % 4u == 0u) {
    return first;
  }
  let shift = 8u * (at % 4u);
  return (first >> shift) | (rows[min(at / 4u + 1u, arrayLength(&rows) - 1u)] << (32u - shift));
}

fn dots(x: vec4u, token: u32) -> vec4i {
  return vec4i(dot4(x.x, token), dot4(x.y, token), dot4(x.z, token), dot4(x.w, token));
}

fn tileProducts(lane0: u32, token0: u32, end: u32, local: vec3u) -> array<vec4f, 4> {
  let words = (p.dim + 3u) / 4u;
  var high4 = array<vec4i, 4>();
  var low4 = array<vec4i, 4>();
  for (var k0 = 0u; k0 < words; k0 += STEP) {
    for (var i = local.y * SIDE + local.x; i < STEP * TILE; i += SIDE * SIDE) {
      let row = i / STEP;
      let k = k0 + i % STEP;
      var lane = vec2u();
      var token = 0u;
      if (k < words && lane0 + row < p.lanes) {
        let start = laneStart(lane0 + row);
        lane = vec2u(lanes[start + k], lanes[start + words + k]);
      }
      if (k < words && token0 + row < end) {
        token = tokenWord(token0 + row, k);
      }
      high[(i % STEP) * TILE + row] = lane.x;
      low[(i % STEP) * TILE + row] = lane.y;
      b[(i % STEP) * TILE + row] = token;
    }
    workgroupBarrier();
    for (var k = 0u; k < min(STEP, words - k0); k++) {
      let l = k * TILE + 4u * local.y;
      let r = k * TILE + 4u * local.x;
      let x = vec4u(high[l], high[l + 1u], high[l + 2u], high[l + 3u]);
      let y = vec4u(low[l], low[l + 1u], low[l + 2u], low[l + 3u]);
      high4[0] += dots(x, b[r]);
      high4[1] += dots(x, b[r + 1u]);
      high4[2] += dots(x, b[r + 2u]);
      high4[3] += dots(x, b[r + 3u]);
      low4[0] += dots(y, b[r]);
      low4[1] += dots(y, b[r + 1u]);
      low4[2] += dots(y, b[r + 2u]);
      low4[3] += dots(y, b[r + 3u]);
    }
    workgroupBarrier();
  }
  var sum = array<vec4f, 4>();
  for (var t = 0u; t < 4u; t++) {
    // rounded to float32, the largest one stays the largest
    sum[t] = vec4f((high4[t] << vec4u(LOW_BITS)) + low4[t]);
  }
  return sum;
}

fn productValue(product: f32, lane: u32, document: u32) -> f32 {
  let end = laneStart(lane + 1u);
  return product * (bitcast<f32>(lanes[end - 2u]) * scales[document]) +
    bitcast<f32>(lanes[end - 1u]);
}
