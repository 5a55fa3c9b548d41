// The largest of what the threads of a workgroup have. THREADS is the shader's.
var<workgroup> peaks: array<f32, THREADS>;

fn largestOfGroup(thread: u32, own: f32) -> f32 {
  peaks[thread] = own;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      peaks[thread] = max(peaks[thread], peaks[thread + half]);
    }
    workgroupBarrier();
  }
  return peaks[0];
}
