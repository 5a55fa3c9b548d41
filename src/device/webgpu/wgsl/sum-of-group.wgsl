// The sum of what the threads of a workgroup have. THREADS and Sum, the type, are the shader's.
var<workgroup> partial: array<Sum, THREADS>;

fn sumOfGroup(thread: u32, own: Sum) -> Sum {
  partial[thread] = own;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      partial[thread] += partial[thread + half];
    }
    workgroupBarrier();
  }
  let sum = partial[0];
  // the next one writes there
  workgroupBarrier();
  return sum;
}
