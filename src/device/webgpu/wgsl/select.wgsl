// The k items of each list with the largest scores, in the order of the items; of equal ones at the
// cut the first. Scores become keys that order as they do; four rounds of a byte each find the key
// of the last item that is taken, counts by block tell where each block writes.
const THREADS = 256u;
const EACH = 16u;
const BLOCK = THREADS * EACH;

struct Params {
  items: u32,
  k: u32,
  // A list's scores begin at list * stride.
  stride: u32,
  // 1: masks has a byte for each item, 0: it is left out
  masks: u32,
  // 1: numbers has each item's number, below 0: it is left out; else an item's number is its place
  numbers: u32,
  // Of this round: its byte is key >> shift.
  shift: u32,
  blocks: u32,
}

// Of a list: the bytes of the last key that are known, items that are still to be taken of those
// with that key, items in all.
struct State {
  key: u32,
  left: u32,
  taken: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read> masks: array<u32>;
@group(0) @binding(3) var<storage, read> numbers: array<i32>;
@group(0) @binding(4) var<storage, read_write> bins: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> states: array<State>;
// lists x blocks: items above the last key and with it; then where the block's begin, and how
// many with that key are taken before it
@group(0) @binding(6) var<storage, read_write> counts: array<vec2u>;
@group(0) @binding(7) var<storage, read_write> outNumbers: array<i32>;
@group(0) @binding(8) var<storage, read_write> outScores: array<f32>;

var<workgroup> local: array<atomic<u32>, 256>;
var<workgroup> above: array<u32, THREADS>;
var<workgroup> equal: array<u32, THREADS>;

// 0: the item is left out
fn keyOf(list: u32, item: u32) -> u32 {
  if (item >= p.items) {
    return 0u;
  }
  if (p.masks == 1u && extractBits(masks[item / 4u], 8u * (item % 4u), 8u) == 0u) {
    return 0u;
  }
  if (p.numbers == 1u && numbers[list * p.stride + item] < 0) {
    return 0u;
  }
  var bits = bitcast<u32>(scores[list * p.stride + item]);
  if (bits == 0x80000000u) {
    bits = 0u;
  }
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return 1u;
  }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

@compute @workgroup_size(THREADS)
fn histogram(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let list = group.y;
  atomicStore(&local[thread], 0u);
  workgroupBarrier();
  let known = states[list].key;
  for (var i = 0u; i < EACH; i++) {
    let key = keyOf(list, group.x * BLOCK + i * THREADS + thread);
    let fits = p.shift == 24u || (key >> (p.shift + 8u)) == (known >> (p.shift + 8u));
    if (key > 0u && fits) {
      atomicAdd(&local[(key >> p.shift) & 255u], 1u);
    }
  }
  workgroupBarrier();
  let many = atomicLoad(&local[thread]);
  if (many > 0u) {
    atomicAdd(&bins[list * 256u + thread], many);
  }
}

// The byte of the last key, and the bins empty for the next round.
@compute @workgroup_size(1)
fn pick(@builtin(workgroup_id) group: vec3u) {
  let list = group.x;
  var state = states[list];
  if (p.shift == 24u) {
    var all = 0u;
    for (var bin = 0u; bin < 256u; bin++) {
      all += atomicLoad(&bins[list * 256u + bin]);
    }
    state = State(0u, min(p.k, all), min(p.k, all));
  }
  var found = 0u;
  var chosen = false;
  for (var bin = 256u; bin > 0u; bin--) {
    let many = atomicLoad(&bins[list * 256u + bin - 1u]);
    atomicStore(&bins[list * 256u + bin - 1u], 0u);
    if (!chosen) {
      if (many >= state.left) {
        chosen = true;
        found = bin - 1u;
      } else {
        state.left -= many;
      }
    }
  }
  state.key |= found << p.shift;
  states[list] = state;
}

// A thread has EACH items side by side, so that their order is kept.
fn countOwn(list: u32, block: u32, thread: u32) -> vec2u {
  let last = states[list].key;
  var own = vec2u();
  for (var i = 0u; i < EACH; i++) {
    let key = keyOf(list, block * BLOCK + thread * EACH + i);
    if (key > 0u && key > last) {
      own.x++;
    } else if (key > 0u && key == last) {
      own.y++;
    }
  }
  return own;
}

// above and equal become what the threads before have, and this one.
fn addBefore(thread: u32, own: vec2u) {
  above[thread] = own.x;
  equal[thread] = own.y;
  workgroupBarrier();
  for (var step = 1u; step < THREADS; step *= 2u) {
    var more = vec2u();
    if (thread >= step) {
      more = vec2u(above[thread - step], equal[thread - step]);
    }
    workgroupBarrier();
    above[thread] += more.x;
    equal[thread] += more.y;
    workgroupBarrier();
  }
}

@compute @workgroup_size(THREADS)
fn count(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  addBefore(thread, countOwn(group.y, group.x, thread));
  if (thread == THREADS - 1u) {
    counts[group.y * p.blocks + group.x] = vec2u(above[thread], equal[thread]);
  }
}

// What blocks have becomes where they begin; places behind the last item are filled.
@compute @workgroup_size(THREADS)
fn place(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let list = group.x;
  if (thread == 0u) {
    var at = 0u;
    var equals = 0u;
    for (var block = 0u; block < p.blocks; block++) {
      let own = counts[list * p.blocks + block];
      counts[list * p.blocks + block] = vec2u(at, equals);
      let taken = min(own.y, states[list].left - equals);
      at += own.x + taken;
      equals += taken;
    }
  }
  for (var i = states[list].taken + thread; i < p.k; i += THREADS) {
    outNumbers[list * p.k + i] = -1;
    outScores[list * p.k + i] = 0.0;
  }
}

@compute @workgroup_size(THREADS)
fn scatter(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let list = group.y;
  let own = countOwn(list, group.x, thread);
  addBefore(thread, own);
  let state = states[list];
  let begin = counts[list * p.blocks + group.x];
  let room = state.left - begin.y;
  let equalBefore = equal[thread] - own.y;
  var at = begin.x + above[thread] - own.x + min(equalBefore, room);
  var equals = equalBefore;
  for (var i = 0u; i < EACH; i++) {
    let item = group.x * BLOCK + thread * EACH + i;
    let key = keyOf(list, item);
    if (key == 0u || key < state.key) {
      continue;
    }
    if (key == state.key) {
      equals++;
      if (equals > room) {
        continue;
      }
    }
    var number = i32(item);
    if (p.numbers == 1u) {
      number = numbers[list * p.stride + item];
    }
    outNumbers[list * p.k + at] = number;
    outScores[list * p.k + at] = scores[list * p.stride + item];
    at++;
  }
}
