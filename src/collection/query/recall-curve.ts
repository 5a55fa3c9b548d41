import type { Curve } from '../files/manifest.js';

/**
 * The fewest candidates whose recall, less its standard error, reaches the target; null: none that
 * was measured does.
 */
export function candidatesFor({ points }: Pick<Curve, 'points'>, target: number): number | null {
  let before: [number, number] | null = null;
  for (const [numCandidates, recall, error] of points) {
    const safe = recall - error;
    if (safe >= target) {
      if (!before || safe === before[1]) return numCandidates;
      // between two measurements: linear in the logarithm
      const share = (target - before[1]) / (safe - before[1]);
      return Math.ceil(
        Math.exp(Math.log(before[0]) + share * (Math.log(numCandidates) - Math.log(before[0]))),
      );
    }
    before = [numCandidates, safe];
  }
  return null;
}

/**
 * The recall of so many candidates by a curve: between two measurements linear in the logarithm,
 * beyond the last what it has found.
 */
export function recallAt({ points }: Pick<Curve, 'points'>, numCandidates: number): number | null {
  const next = points.findIndex(([n]) => n >= numCandidates);
  if (next < 0) return points.at(-1)?.[1] ?? null;
  const [n, recall] = points[next];
  if (n === numCandidates) return recall;
  if (next === 0) return null;
  const [before, least] = points[next - 1];
  return least + (recall - least) * (Math.log(numCandidates / before) / Math.log(n / before));
}
