import { DIM, LATENT, maps, mean, OUTPUTS, ROWS, std, x } from './conformance-data.js';
import { naiveFeatures } from './naive-features.js';

export interface NaiveTraining {
  loss: number;
  batchLoss: number;
  /** Gradients of some parameters, by their places. */
  slopes: Map<number, number>;
}

const naiveTrainings = new Map<string, NaiveTraining>();

/**
 * Losses by their formula, and gradients of two parameters of each sort by central differences;
 * worked out once for all devices.
 */
export function naiveTraining(
  kind: 'one' | 'two',
  initial: Float32Array,
  targets: Float32Array,
  batch: number[],
): NaiveTraining {
  const known = naiveTrainings.get(kind);
  if (known) return known;
  const layout = maps[kind];
  const lossOf = (values: ArrayLike<number>, examples: number[]): number => {
    let total = 0;
    for (const row of examples) {
      const z = naiveFeatures(layout, values, x.subarray(row * DIM, (row + 1) * DIM));
      for (let o = 0; o < OUTPUTS; o++) {
        let prediction = 0;
        for (let j = 0; j < LATENT; j++)
          prediction += z[j] * values[layout.parameterCount + o * LATENT + j];
        total += (prediction - (targets[row * OUTPUTS + o] - mean) / std) ** 2;
      }
    }
    return total / (examples.length * OUTPUTS);
  };
  const slopes = new Map<number, number>();
  const places = layout.layers.flatMap(({ weight, bias, gamma, beta }) =>
    [weight, bias, gamma, beta].flatMap((at) => [at, at + 3]),
  );
  for (const at of [...places, layout.parameterCount + 5, initial.length - 1]) {
    const moved = Float64Array.from(initial);
    moved[at] = initial[at] + 1e-4;
    const above = lossOf(moved, batch);
    moved[at] = initial[at] - 1e-4;
    slopes.set(at, (above - lossOf(moved, batch)) / 2e-4);
  }
  const everything = Array.from({ length: ROWS }, (_, i) => i);
  const made = { loss: lossOf(initial, everything), batchLoss: lossOf(initial, batch), slopes };
  naiveTrainings.set(kind, made);
  return made;
}
