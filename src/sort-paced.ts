/** Strings that are sorted in one go. */
const RUN = 2048;

/**
 * The strings in the order of `sort()`, by UTF-16 code units, in an array of their own: runs are
 * sorted and merged, giving way in between.
 */
export async function sortPaced(
  strings: Iterable<string>,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<string[]> {
  let sorted = [...strings];
  if (sorted.length <= RUN) return sorted.sort();
  for (let from = 0; from < sorted.length; from += RUN) {
    const run = sorted.slice(from, from + RUN).sort();
    for (let i = 0; i < run.length; i++) sorted[from + i] = run[i];
    await step(RUN);
  }
  for (let width = RUN; width < sorted.length; width *= 2) {
    const merged = new Array<string>(sorted.length);
    for (let from = 0; from < sorted.length; from += 2 * width) {
      const middle = Math.min(sorted.length, from + width);
      const end = Math.min(sorted.length, middle + width);
      let [left, right] = [from, middle];
      for (let at = from; at < end; at++) {
        const takesLeft = left < middle && (right === end || sorted[left] <= sorted[right]);
        merged[at] = sorted[takesLeft ? left++ : right++];
        const wait = step();
        if (wait) await wait;
      }
    }
    sorted = merged;
  }
  return sorted;
}
